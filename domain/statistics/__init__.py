"""
Statistics: what happened, counted per quarter of an hour, and what it comes to.

`facts` are what an object contributes, by the moments that it carries itself; what is counted is the difference
between the facts before a change and after it. So news that is late or repeated cannot count twice, and a recount
of the objects gives the same.
"""
