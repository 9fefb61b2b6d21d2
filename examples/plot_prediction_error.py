"""
Prediction error and residuals, by alpha
========================================

Predicted against actual numbers, and what is left, by the strength of the penalty.

The diabetes data: how far a disease has progressed in a year, for 442 people. Each column is
a network with its own alpha, and every point a person whom the network that predicts has not
seen (five folds).

Above: predictions against the actual numbers; on the diagonal they would be right. Below:
what is left, against the prediction. With a weak penalty the network has learned the noise of
its training rows, and its predictions reach too far; with a strong one they stay close to the
mean, and what is left rises with what is predicted. The best lies between.
"""

import matplotlib.pyplot as plt
from _pictures import argument_parser, save
from sklearn.datasets import load_diabetes
from sklearn.metrics import PredictionErrorDisplay, r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPRegressor

# %%
# Three penalties, from too weak to too strong.

NUMBERS = (-60.0, 540.0)
TICKS = [0, 100, 200, 300, 400, 500]
LEFT_OVER = (-280.0, 280.0)
ALPHAS = [0.1, 30.0, 200.0]


# %%
# Every prediction is of a row that was left out.

options = argument_parser(__doc__).parse_args()
X, y = load_diabetes(return_X_y=True)
folds = KFold(5, shuffle=True, random_state=0)
figure, axes = plt.subplots(2, len(ALPHAS), figsize=(11.0, 7.0), layout="constrained")
print("alpha   R2 on rows that are left out")
for column, alpha in zip(axes.T, ALPHAS, strict=True):
    model = make_pipeline(
        StandardScaler(), BackpropMLPRegressor(alpha=alpha, max_iter=1000, random_state=0)
    )
    predicted = cross_val_predict(model, X, y, cv=folds)
    score = r2_score(y, predicted)
    print(f"{alpha:<7g} {score:.3f}")
    for ax, kind in zip(column, ("actual_vs_predicted", "residual_vs_predicted"), strict=True):
        PredictionErrorDisplay(y_true=y, y_pred=predicted).plot(
            ax=ax, kind=kind, scatter_kwargs={"s": 12, "alpha": 0.5}
        )
    column[0].set(title=f"alpha {alpha:g}: R2 {score:.2f}", xlim=NUMBERS, ylim=NUMBERS)
    column[0].set(xticks=TICKS, yticks=TICKS)
    column[0].set_aspect("equal", adjustable="box")
    column[1].set(xlim=NUMBERS, ylim=LEFT_OVER)
save(figure, options.output, "prediction_error")
