"""Methods of minimising a smooth function plus a penalty, and the one loop that they run in."""

from gradus.solvers.coordinate_descent import CoordinateDescent
from gradus.solvers.davis_yin import DavisYin
from gradus.solvers.lbfgs import LBFGS
from gradus.solvers.minimize import Continued, Stop, minimize, resume
from gradus.solvers.newton import Newton
from gradus.solvers.newton_cg import NewtonCG
from gradus.solvers.primal_dual import PrimalDual
from gradus.solvers.proximal_gradient import ProximalGradient
from gradus.solvers.proximal_newton import ProximalNewton
from gradus.solvers.renewed_lbfgs import RenewedLBFGS
from gradus.solvers.terms import Terms

__all__ = [
    "LBFGS",
    "Continued",
    "CoordinateDescent",
    "DavisYin",
    "Newton",
    "NewtonCG",
    "PrimalDual",
    "ProximalGradient",
    "ProximalNewton",
    "RenewedLBFGS",
    "Stop",
    "Terms",
    "minimize",
    "resume",
]
