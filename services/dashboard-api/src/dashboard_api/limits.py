"""What a GraphQL query may cost, decided before any resolver runs.

cost = the sum of all fields, each times the sizes of the lists it stands in; a field that asks the database costs ten.
Everything is counted once a fragment, however often it is spread: the count itself is cheap for any document. (The
library's own limiters for depth and aliases walk a fragment again at each spread: forty that double take for ever.)
"""

from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

DEPTH_MAX, COST_MAX, ALIASES_MAX, TOKENS_MAX = 8, 5_000, 15, 1_000
_ASKS_DATABASE = frozenset({"trades", "decisions", "rounds", "equity"})
_SIZES = {"first": (50, 200), "points": (200, 1_000)}
"""Arguments that say how long a list is: their default, and their most (taken for a variable)."""
_LISTS = {"leaderboard": 20, "competitors": 20, "positions": 10, "parts": 10}
"""How long lists without such an argument are taken to be."""


class Weight(NamedTuple):
    cost: int
    depth: int
    aliases: int


NOTHING = Weight(0, 0, 0)


class WeightLimit(ValidationRule):
    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments = {
            node.name.value: node for node in context.document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, Weight] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        weight = self._of(node.selection_set)
        if weight.depth > DEPTH_MAX:
            self._refuse(f"depth: {weight.depth} levels, at most {DEPTH_MAX}", node)
        if weight.cost > COST_MAX:
            self._refuse(f"cost: {weight.cost}, at most {COST_MAX}; ask for fewer fields or shorter lists", node)
        if weight.aliases > ALIASES_MAX:
            self._refuse(f"aliases: {weight.aliases}, at most {ALIASES_MAX}", node)

    def _refuse(self, message: str, node: OperationDefinitionNode) -> None:
        self.report_error(GraphQLError(message, node))

    def _of(self, selections: SelectionSetNode | None) -> Weight:
        weights = [self._weight(node) for node in selections.selections] if selections else []
        return Weight(
            cost=sum(weight.cost for weight in weights),
            depth=max((weight.depth for weight in weights), default=0),
            aliases=sum(weight.aliases for weight in weights),
        )

    def _weight(self, node: Any) -> Weight:
        if isinstance(node, FieldNode):
            return self._field(node)
        if isinstance(node, InlineFragmentNode):
            return self._of(node.selection_set)
        return self._spread(node)

    def _field(self, node: FieldNode) -> Weight:
        name = node.name.value
        if name.startswith("__"):
            return NOTHING  # introspection is bounded by the schema
        below = self._of(node.selection_set)
        own = 10 if name in _ASKS_DATABASE else 1
        return Weight(own + _size(node) * below.cost, 1 + below.depth, below.aliases + (node.alias is not None))

    def _spread(self, node: FragmentSpreadNode) -> Weight:
        name = node.name.value
        if name not in self._known:
            self._known[name] = NOTHING  # a cycle ends here; another rule refuses it
            fragment = self._fragments.get(name)
            self._known[name] = self._of(fragment.selection_set) if fragment else NOTHING
        return self._known[name]


def _size(node: FieldNode) -> int:
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name, (default, most) in _SIZES.items():
        if name in given:
            value = given[name]
            return max(1, int(value.value)) if isinstance(value, IntValueNode) else most
        if node.name.value in _ASKS_DATABASE and (name == "points") == (node.name.value == "equity"):
            return default
    return _LISTS.get(node.name.value, 1)
