"""Methods of minimising a smooth function plus a penalty, and the one loop that they run in."""

from gradus.solvers.lbfgs import LBFGS
from gradus.solvers.minimize import Continued, Stop, minimize, resume
from gradus.solvers.newton_cg import NewtonCG
from gradus.solvers.proximal_gradient import ProximalGradient
from gradus.solvers.proximal_newton import ProximalNewton, Terms

__all__ = [
    "LBFGS",
    "Continued",
    "NewtonCG",
    "ProximalGradient",
    "ProximalNewton",
    "Stop",
    "Terms",
    "minimize",
    "resume",
]
