"""For tests of all solvers: their names, and the keywords that each reads."""

FULL_BATCH = ("cg", "lbfgs", "newton-cg")
MINI_BATCH = ("adam", "rmsprop", "sgd")
SOLVERS = FULL_BATCH + MINI_BATCH

RATES = {"adam": 0.3, "rmsprop": 0.3, "sgd": 0.3}
"""Learning rates that lead each mini-batch solver to the minimum of a small convex problem."""

READ_BY_SOME = {
    "max_fun": FULL_BATCH,
    "batch_size": MINI_BATCH,
    "learning_rate": MINI_BATCH,
    "learning_rate_init": MINI_BATCH,
    "power_t": MINI_BATCH,
    "shuffle": MINI_BATCH,
    "max_grad_norm": MINI_BATCH,
    "momentum": ("sgd",),
    "nesterovs_momentum": ("sgd",),
    "beta_1": ("adam",),
    "beta_2": ("adam", "rmsprop"),
    "epsilon": ("adam", "rmsprop"),
}


def read_by(solver, params):
    """The keywords among params that a solver reads."""
    if callable(params.get("learning_rate")):
        params = {name: value for name, value in params.items() if name != "learning_rate_init"}
    return {
        name: value
        for name, value in params.items()
        if name not in READ_BY_SOME or solver in READ_BY_SOME[name]
    }
