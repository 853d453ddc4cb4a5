"""A check on validation identities that models of own images have learned anything."""

from collections.abc import Iterable

from benchmark.results.records import Facts, Validated

FEWEST = 2  # views, as data.views allows
HELP = (
    "What can help: more images of each identity and of each view, more identities, a larger budget by "
    "--set training.images={images}, images that are cropped to the object{views}."
)
UNKNOWN = (
    "Not known whether the models have learned anything: {why}. --set data.validation=0.2 keeps more from training."
)


def learned(facts: Facts, models: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what warns of models, and what can be said of the others, in sentences.

    Args:
        facts: of the run; about data sets of the paper or the suite nothing is said.
        models: those in the tables that were trained here.
    """
    data, warnings, said = facts.settings.data, [], []
    if not data.own:
        return [], []
    kept = facts.counts.get("validation", {}).get("identities", 0)
    why = f"{kept or 'no'} validation identit{'y is' if kept == 1 else 'ies are'} too few to tell apart"
    if not data.validation:
        why = "data.validation is 0, so every training identity was trained on"
    elif kept > 1:
        why = "they are not measured on the validation identities"
    unknown = [name for name in models if name not in facts.validated]
    if unknown:
        subject = f"{', '.join(f'`{name}`' for name in unknown)}: "
        warnings.append(UNKNOWN.format(why=f"{subject if kept > 1 else ''}{why}"))
    for name in models:
        if found := facts.validated.get(name):
            sentence = _measured(name, found)
            if found.low > found.lower_bound:
                said.append(f"Learned: {sentence}.")
            elif found.real <= found.lower_bound:
                warnings.append(f"Not known: {sentence}, but no more of real images are recognised.")
            elif found.rate > found.lower_bound:
                more = "--set data.validation=0.3 measures more of them, a larger training.images may make it clear."
                warnings.append(f"Not clear: {sentence}; above it, but so few identities cannot show more. {more}")
            else:
                views = ", or fewer views" if len(data.views) > FEWEST else ""
                more = HELP.format(images=2 * facts.settings.training.images, views=views)
                warnings.append(f"Nothing learned: {sentence}, which is not clear of that. {more}")
    return warnings, said


def _measured(name: str, found: Validated) -> str:
    """Return what is measured of a model, without an end."""
    bound = "the mean image" if found.mean_image > 1 / found.nc else "chance"
    values = found.rate, found.low, found.top1, found.view, found.lower_bound, found.real
    rate, low, top1, view, least, real = (f"{100 * value:.1f} %" for value in values)
    return (
        f"with {found.nc} of {found.identities} validation identities, which nothing was trained on, `{name}` has "
        f"{rate} (at least {low}) on joint on other views (identity {top1}, view {view}); {bound} has {least} and "
        f"top-1 of real images is {real}"
    )
