"""The banner: addresses, routes, functions, what is not supported and what differs from AWS, in aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.console.colours import BOLD, DIM, YELLOW, Colours
from emulator.console.started import Started, features, rate


def banner(started: Started, colours: Colours) -> str:
    """Several lines, with an empty one before and after."""
    application = started.application
    names = {function.name for function in application.functions}
    lines = [_row(colours, "page", colours.paint(f"{started.url}/", BOLD))]
    for stage in started.stages:
        lines.append(_row(colours, "websocket", colours.paint(stage.websocket, BOLD)))
        keys = _width([route.route_key for route in stage.api.routes])
        for route in stage.api.routes:
            authorizer = f"  (authorizer {route.authorizer})" if route.authorizer else ""
            lines.append(f"    {route.route_key:<{keys}} -> {route.function}{authorizer}")
        lines.append(_row(colours, "post", stage.management))
        lines.append(_row(colours, "domainName", stage.domain_name))
    lines.append(_row(colours, "invoke", started.invoke))
    lines.append(_row(colours, "faults", started.faults))
    wide = _width(names)
    for index, function in enumerate(application.functions):
        name = colours.paint(f"{function.name:<{wide}}", Colours.of_function(index))
        figures = f"{function.timeout_s:>4} s {function.memory_mb:>5} MB"
        lines.append(_row(colours, "function", "  ".join((f"{name} {figures}", *features(function)))))
    lines += [
        _row(colours, "schedule", f"{schedule.function:<{wide}} {rate(schedule)}") for schedule in application.schedules
    ]
    lines += [_row(colours, kind, name) for kind, name in started.resources()]
    lines += [f"  {colours.paint('not supported', YELLOW)}: {line}" for line in application.unsupported]
    lines += [f"  {colours.paint('note', DIM)}: {line}" for line in application.notes]
    lines.append(
        colours.paint(f"  Ready in {started.took_s:.1f} s. A saved file is served at once; Ctrl-C ends it.", DIM)
    )
    return "\n".join(("", *lines, "", ""))


def _row(colours: Colours, title: str, text: str) -> str:
    return f"  {colours.paint(f'{title:<10}', DIM)} {text}"


def _width(words: Sequence[str] | set[str]) -> int:
    return max((len(word) for word in words), default=0)
