"""A mean of the updates that lie near the middle of the others and are of usual length, each clipped to it."""
import numpy as np

does_not_preserve = ("translation",)  # clipping measures from the origin


def aggregate(distances, norms, state, spread=1.5):
    n = len(norms)
    # The middle of everybody's distances to the others: more robust than Krum's sum, and it needs no f.
    apart = np.sqrt(distances + np.diag(np.full(n, np.inf)))
    middle = np.median(apart, axis=1) if n > 2 else np.zeros(n)
    near = middle <= spread * np.median(middle)
    usual = np.median(norms)
    # What is usual may not grow in a few rounds: attackers who are the majority of one round do not set the bound.
    bound = min(usual, 2.0 * state.get("bound", usual))
    state["bound"] = float(bound)
    clip = np.minimum(1.0, bound / np.maximum(norms, 1e-30))
    shares = near / max(near.sum(), 1)
    return {"coefficients": shares * clip, "weights": shares, "scores": -middle, "diagnostics": {"kept": near.sum()}}
