"""Four rules against three attacks, from Python to a figure: rules_and_attacks.png.

    PYTHONPATH=analysis/python python3 scenarios/own/python_grid.py

Cells begin with # %%, as notebooks in editors have them. Needs NumPy, pandas and matplotlib; runs/rules_and_attacks keeps
the results of the grid, so that a second time nothing of it is computed.
"""

# %% Data of one's own: two clouds of points in 20 dimensions, drawn here, with a client to each of 12 users.
import matplotlib.pyplot as pyplot
import numpy
import souk

random = numpy.random.default_rng(1)
labels = numpy.array(["left", "right"])[random.integers(0, 2, 1500)]
points = random.normal(size=(1500, 20)) + numpy.where(labels == "left", -0.4, 0.4)[:, None]
users = random.integers(0, 12, 1000)
data = souk.write_data(
    "clouds.npz", points[:1000], labels[:1000], test_features=points[1000:], test_labels=labels[1000:], groups=users
)

# %% One run, to see that it learns.
scenario = souk.Scenario(
    """
    rounds: 15
    task {
      model { mlp { hidden: [16] } }
      training { batch_size: 16 learning_rate: 0.1 }
    }
    participants { clients: 12 everyone: true }
    partition { natural {} }
    """
).set(data)
run = souk.run(scenario.set(name="clouds"), ranks=2)
print(run.rounds("accuracy", "loss").tail(3))

# %% The grid. Rules are told of three attackers, whoever attacks.
few = {"aggregator.tolerated_f": 3}
rules = {
    "mean": {"aggregator": {"mean": {}}},
    "median": {"aggregator": {"median": {}}, **few},
    "trimmed mean": {"aggregator": {"trimmed_mean": {}}, **few},
    "multi-Krum": {"aggregator": {"multi_krum": {}}, **few},
}
attacks = {
    "nobody": {},
    "sign flip": {"attacks": [{"count": 3, "sign_flip": {"scale": 4}}]},
    "label flip": {"attacks": [{"count": 3, "label_flip": {}}]},
}
grid = souk.Grid("rules_and_attacks", scenario, {"rule": rules, "attacked by": attacks}, seeds=[1, 2, 3])
sweep = souk.sweep(grid, ranks=2)

# %% Means over seeds as a table, and every run as a point.
table = sweep.table("rule", "attacked by")
print(table.round(3))
results = sweep.results("accuracy")
figure, axes = pyplot.subplots(figsize=(7, 3.5))
table.plot.bar(ax=axes, rot=0, width=0.75)
for column, attack in enumerate(table.columns):
    for place, rule in enumerate(table.index):
        values = results.loc[(results["rule"] == rule) & (results["attacked by"] == attack), "accuracy"]
        axes.plot([place + (column - 1) * 0.25] * len(values), values, "k.", markersize=3)
axes.set_ylabel("test accuracy after 15 rounds")
axes.set_xlabel("")
axes.set_ylim(0, 1)
axes.legend(title="attacked by", loc="center left", bbox_to_anchor=(1, 0.5))
figure.tight_layout()
figure.savefig("rules_and_attacks.png", dpi=150)

# %% The model that was trained first, as arrays, and where it is sure.
weights = run.parameters()
hidden = numpy.maximum(points[1000:] @ weights["fc1.weight"].T + weights["fc1.bias"], 0)
answers = hidden @ weights["fc2.weight"].T + weights["fc2.bias"]
accuracy = (numpy.array(["left", "right"])[answers.argmax(axis=1)] == labels[1000:]).mean()
print(f"accuracy by hand {accuracy:.4f}, by Souk {run.last('accuracy')['accuracy']:.4f}")
