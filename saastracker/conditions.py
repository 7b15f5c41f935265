"""What a scope's filters mean in SQL."""

from typing import Any

from saastracker.scope import PROPERTY, Operator, Scope

_SQL = {
    "is": "{x} = :{v}",
    "is_not": "{x} = :{v}",  # negated as a whole
    # LIKE ignores case on one engine and not on another; these mean the same everywhere.
    "contains": "replace({x}, :{v}, '') <> {x}",
    "starts_with": "substr({x}, 1, length(:{v})) = :{v}",
    "exists": "{x} IS NOT NULL",
    "gt": "{x} > :{v}",
    "lt": "{x} < :{v}",
}


def conditions(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Project, environment and filters as one SQL condition over the view `events`, and its parameters.

    Filters on the same dimension with the same operator are alternatives (`is_not`: none of them),
    otherwise all must hold; `is_not` also matches events without the dimension. A person is the user
    id, or the anonymous id of an event that has none. The span is left to the caller.
    """
    sql = ["project = :project"]
    parameters: dict[str, Any] = {"project": scope.project}
    if scope.environment:
        sql.append("environment = :environment")
        parameters["environment"] = scope.environment
    groups: dict[tuple[str, Operator], str] = {}
    for number, item in enumerate(scope.filters):
        numeric = item.operator in {"gt", "lt"}
        x = f'"{item.dimension}"'
        if item.dimension == "user":
            x = 'coalesce("user", anonymous)'
        elif item.dimension.startswith(PROPERTY):
            x = f"prop_number(:k{number})" if numeric else f"prop(:k{number})"
            parameters[f"k{number}"] = item.dimension.removeprefix(PROPERTY)
        if item.operator != "exists":
            parameters[f"v{number}"] = float(item.value) if numeric else item.value
        test = _SQL[item.operator].format(x=x, v=f"v{number}")
        if item.operator == "is_not":
            test = f"coalesce({test}, false)"
        group = (item.dimension, item.operator)
        groups[group] = f"{groups[group]} OR {test}" if group in groups else test
    sql += [f"NOT ({test})" if operator == "is_not" else f"({test})" for (_, operator), test in groups.items()]
    return " AND ".join(sql), parameters
