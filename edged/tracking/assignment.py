"""Who belongs to whom at the least total cost."""

import math
from collections.abc import Sequence


def least_cost_pairs(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pair rows with columns, as many as the shorter side has, so that the sum of costs is least.

    The shortest augmenting path method with dual prices (Kuhn 1955, Munkres 1957; Jonker and Volgenant
    1987), rows squared times columns steps. In plain Python: for the handful of faces in a frame it is
    faster than any array library.

    Args:
        costs: one row of equally many finite numbers for each thing to be paired; may be empty.

    Returns:
        (row, column) pairs in the order of the rows. Of several best pairings always the same one.

    Raises:
        ValueError: when the rows differ in length or a cost is not finite.
    """
    if any(len(row) != len(costs[0]) for row in costs):
        raise ValueError("the rows of costs must be equally long")
    if not all(math.isfinite(cost) for row in costs for cost in row):
        raise ValueError("costs must be finite")
    if not costs or not costs[0]:
        return []
    if len(costs) > len(costs[0]):
        return sorted((row, column) for column, row in _pairs_of_wide(list(zip(*costs, strict=True))))
    return _pairs_of_wide(costs)


def _pairs_of_wide(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The pairs of a matrix with no more rows than columns: the rows join one after the other."""
    row_prices = [0.0] * len(costs)
    column_prices = [0.0] * len(costs[0])
    owners: list[int | None] = [None] * len(costs[0])
    for row in range(len(costs)):
        _join(row, costs, row_prices, column_prices, owners)
    return sorted((row, column) for column, row in enumerate(owners) if row is not None)


def _join(
    new_row: int,
    costs: Sequence[Sequence[float]],
    row_prices: list[float],
    column_prices: list[float],
    owners: list[int | None],
) -> None:
    """Give `new_row` a column along the cheapest path of re-pairings (Dijkstra on reduced costs)."""
    columns = len(column_prices)
    distances = [math.inf] * columns
    reached_from: list[int | None] = [None] * columns
    settled: list[int] = []
    row: int | None = new_row
    column: int | None = None
    reached = 0.0
    while row is not None:
        nearest, nearest_distance = -1, math.inf
        for candidate in range(columns):
            if candidate in settled:
                continue
            distance = reached + costs[row][candidate] - row_prices[row] - column_prices[candidate]
            if distance < distances[candidate]:
                distances[candidate] = distance
                reached_from[candidate] = column
            if distances[candidate] < nearest_distance:
                nearest, nearest_distance = candidate, distances[candidate]
        column, reached = nearest, nearest_distance
        settled.append(column)
        row = owners[column]

    row_prices[new_row] += reached
    for passed in settled[:-1]:
        owner = owners[passed]
        if owner is not None:
            row_prices[owner] += reached - distances[passed]
        column_prices[passed] -= reached - distances[passed]

    while column is not None:
        previous = reached_from[column]
        owners[column] = new_row if previous is None else owners[previous]
        column = previous
