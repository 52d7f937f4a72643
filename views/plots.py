"""Plots of figures as SVG pictures, drawn on the server (pygal); they follow the reader's light or dark scheme."""

from collections.abc import Callable, Sequence

from flask import Response
from pygal import Bar, HorizontalBar
from pygal.style import Style

import config

# The brand's, light and dark: a picture knows no style sheet of the page.
_TOKENS = {"ink": "ink", "soft": "ink_2", "line": "line", "first": "accent", "second": "promo"}
_LIGHT = {name: config.FACE.light[token] for name, token in _TOKENS.items()}
_DARK = {name: config.FACE.dark[token] for name, token in _TOKENS.items()}
# The picture's own policy: nothing but the style sheet that pygal writes into it.
_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def _rules(colours: dict[str, str]) -> str:
    # pygal's own sheet names the id of each plot before each rule, unless it has no prefix; these come after it.
    return "".join(
        (
            f".axis text, .axis text.major, .legends .legend text, .graph {{ fill: {colours['soft']} }}",
            f".axis .guide.line, .axis .line, .axis .major.line {{ stroke: {colours['line']} }}",
            f".color-0 {{ fill: {colours['first']}; stroke: {colours['first']} }}",
            f".color-1 {{ fill: {colours['second']}; stroke: {colours['second']} }}",
            f"text.no_data {{ fill: {colours['ink']} }}",
        )
    )


_RULES = f"inline:{_rules(_LIGHT)}@media (prefers-color-scheme: dark) {{{_rules(_DARK)}}}"
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground=_LIGHT["soft"],
    foreground_strong=_LIGHT["ink"],
    foreground_subtle=_LIGHT["line"],
    colors=(_LIGHT["first"], _LIGHT["second"]),
    opacity="1",
    opacity_hover="1",
    font_family="system-ui, sans-serif",
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=14,
    value_font_size=13,
    no_data_font_size=16,
    guide_stroke_dasharray="0",
    major_guide_stroke_dasharray="0",
)
# At most so many days are named below a plot, and so many values beside it.
_LABELS = 10
_STEPS = 4
# The size of a plot, in pixels.
WIDTH = 640


def height_of(kinds: int, sideways: bool) -> int:
    """How high a plot is that shows so many kinds sideways, or days."""
    return 40 + 40 * kinds if sideways else 300


def plot(
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[int]]],
    text: Callable[[int], str],
    *,
    sideways: bool = False,
    nothing: str = "",
) -> Response:
    """A bar plot of one or two series over `labels`; `text` writes a value, `nothing` stands where there is none.

    Days go from left to right; kinds are read `sideways`, from the top, each with its value.
    """
    chart = (HorizontalBar if sideways else Bar)(
        style=_STYLE,
        css=["file://style.css", "file://graph.css", _RULES],
        no_prefix=True,
        js=[],
        disable_xml_declaration=True,
        explicit_size=False,
        width=WIDTH,
        height=height_of(len(labels), sideways),
        margin=8,
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_box_size=12,
        value_formatter=lambda value: text(int(value or 0)),
        # Sideways, pygal calls the values so.
        show_x_labels=not sideways,
        no_data_text=nothing,
        truncate_label=-1,
        truncate_legend=-1,
        include_x_axis=True,
        show_minor_x_labels=False,
        spacing=12,
        rounded_bars=2,
    )
    order = list(reversed(range(len(labels)))) if sideways else list(range(len(labels)))
    chart.x_labels = [labels[place] for place in order]
    if sideways:
        [(_, values)] = series
        chart.x_labels = [f"{labels[place]}: {text(values[place])}" for place in order]
    else:
        most = max((value for _, values in series for value in values), default=0)
        # Whole numbers alone: there is no half order.
        chart.y_labels = list(range(0, most + 1, max(1, -(-most // _STEPS))))
        every = max(1, -(-len(labels) // _LABELS))
        chart.x_labels_major = chart.x_labels[::-1][::every]
    for name, values in series:
        chart.add(name, [values[place] for place in order] if any(values) else [])
    chart.add_xml_filter(_without_scripts)
    response = Response(chart.render(), mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = _CSP
    return response


def _without_scripts(root):
    """pygal writes its settings for a script that is not there."""
    for parent in list(root.iter()):
        for node in [node for node in parent if str(node.tag).endswith("script")]:
            parent.remove(node)
    return root
