"""
Demo data: a person to be, with what the stories need, in a shop with a season behind it.

Everything is made through the gateway's own commands, at the sandbox, by its clock.
"""

from gateway.demo.loading import CaughtUp, caught_up_with, load_demo, remember, remembered
from gateway.demo.people import ADMIN, MEDIA_SERVICE, PEOPLE, USER
from gateway.demo.showcase import PURCHASES

__all__ = [
    "ADMIN",
    "MEDIA_SERVICE",
    "PEOPLE",
    "PURCHASES",
    "USER",
    "CaughtUp",
    "caught_up_with",
    "load_demo",
    "remember",
    "remembered",
]
