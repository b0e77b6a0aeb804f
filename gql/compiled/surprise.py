"""Why an operation is left to graphql-core."""


class NotPlanned(Exception):
    """It asks for what no plan covers, such as introspection."""


class Surprise(Exception):
    """Something was otherwise than the schema says. graphql-core tells the caller what, and where."""
