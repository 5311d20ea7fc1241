"""Methods of minimising a smooth function plus a penalty, and the one loop that they run in."""

from gradus.solvers.lbfgs import LBFGS
from gradus.solvers.minimize import Continued, Stop, minimize, resume
from gradus.solvers.newton_cg import NewtonCG
from gradus.solvers.proximal_gradient import ProximalGradient

__all__ = ["LBFGS", "Continued", "NewtonCG", "ProximalGradient", "Stop", "minimize", "resume"]
