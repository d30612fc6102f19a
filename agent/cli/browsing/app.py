"""The screen of `tsq-agent browse`: a tree that is asked for level by level, and what was picked in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text as Styled
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static, Tree

from agent.cli.browsing.entries import reason, usable
from agent.cli.table import clean
from agent.cli.values import of_node
from agent.cli.watching.model import fit, languages
from agent.cli.words import status_text
from agent.errors import AgentError
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widgets.tree import TreeNode

    from agent.collectors.opcua.browse import Tree as Server
    from agent.collectors.opcua.choose import Found
    from settings.language import Language

KEYS = Text(
    "Enter open  Space pick  a all below  / search  u read again  w write  l 한국어  q quit",
    "Enter 열기  Space 선택  a 하위 전체  / 검색  u 다시 읽기  w 저장  l Eng  q 종료",
)
PATTERN = Text("a name or a pattern: *Position, Objects/**/Axes/*", "이름이나 패턴: *Position, Objects/**/Axes/*")
KEEP_ALIVE_S = 15.0
MOST_FOUND = 500


class Leaf(Tree["Found | None"]):
    """The tree; its marks are letters, because arrows and lines are two columns wide on some Korean terminals."""

    ICON_NODE = "+ "
    ICON_NODE_EXPANDED = "- "
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "app.pick", show=False)]


class Browse(App[list["Found"]]):
    """Ends with what was picked, or with nothing."""

    CSS = """
    Screen { layout: vertical; }
    #top, #keys { height: 1; }
    #top { text-style: bold; }
    #keys { color: $text-muted; }
    #detail { height: 3; color: $text-muted; }
    Leaf { height: 1fr; background: $background; }
    #filter { height: 1; border: none; padding: 0; display: none; }
    #filter.open { display: block; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit"),
        Binding("slash", "search"),
        Binding("a", "all"),
        Binding("u", "again"),
        Binding("w", "write"),
        Binding("l", "language"),
        Binding("escape", "back", priority=True),
    ]

    def __init__(self, server: Server, title: str, language: Language, taken: Sequence[str] = ()) -> None:
        super().__init__()
        self.language: Language = language
        self.picked: dict[str, Found] = {}
        self.trouble: Text | None = None
        self.busy = False
        self._server = server
        self._title = title
        self._taken = frozenset(taken)  # nodes that the file has already

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="top")
        tree = Leaf("Objects", id="tree")
        tree.show_guides = False
        tree.guide_depth = 2
        yield tree
        yield Static(id="detail")
        yield Input(id="filter", compact=True, select_on_focus=False)
        yield Static(id="keys")

    def on_mount(self) -> None:
        """Begin with the first level."""
        self.nodes.focus()
        self.nodes.root.expand()
        self.set_interval(KEEP_ALIVE_S, self._keep_alive)
        self.redraw()

    @property
    def nodes(self) -> Leaf:
        """The tree widget."""
        return self.query_one(Leaf)

    def redraw(self) -> None:
        """Draw the lines around the tree."""
        columns = max(20, self.size.width)
        n = len(self.picked)
        said = [clean(self._title), Text(f"{n} picked", f"{n}개 선택")(self.language)]
        if self.busy:
            said.append(Text("[asking...]", "[읽는 중...]")(self.language))
        if self.trouble is not None:
            said.insert(0, "! " + clean(self.trouble(self.language)))
        self.query_one("#top", Static).update(Styled(fit("  ".join(said), columns)))
        self.query_one("#keys", Static).update(Styled(fit(KEYS(self.language), columns)))
        self.query_one("#detail", Static).update(self._detail(columns))

    def _detail(self, columns: int) -> Styled:
        node = self.nodes.cursor_node
        found = None if node is None else node.data
        if found is None:
            return Styled("")
        mine, access = found.readable[1], found.writable[1]
        rights = Text(
            f"{'may be read' if mine else 'may not be read'}{', could be written' if access else ''}",
            f"{'읽기 가능' if mine else '읽기 권한 없음'}{', 쓰기 권한 있음(사용하지 않음)' if access else ''}",
        )
        why = reason(found)
        words = [found.node, found.path]
        third = []
        if found.node_class == "Variable":
            third = [found.data_type or "", rights(self.language), status_text(found.status)(self.language)]
            if found.eu_range:
                third.append(f"{found.eu_range[0]:g}..{found.eu_range[1]:g} {found.unit or ''}")
        third += [why(self.language)] if why is not None else []
        third += [found.description or ""]
        out = [clean(w) for w in words] + ["  ".join(clean(w) for w in third if w)]
        return Styled("\n".join(fit(line, columns) for line in out))

    def _label(self, found: Found) -> Styled:
        """Return the line of a node: picked or not, name, value, unit, type."""
        text = Styled()
        if found.node_class == "Variable":
            mark = "x" if found.node in self.picked else " " if usable(found) else "-"
            there = "=" if found.node in self._taken and mark == " " else mark
            text.append(f"[{there}] ", "bold" if mark == "x" else "")
        text.append(clean(found.name), "bold" if found.node in self.picked else "")
        if found.node_class == "Variable":
            value = f"{of_node(found.value, found.dtype)} {found.unit or ''}".strip()
            text.append(f"  {clean(value) or '-'}")
            text.append(f"  {found.data_type or '?'}{'[]' if (found.rank or -1) > 0 else ''}", "dim")
        return text

    def _add(self, parent: TreeNode[Found | None], level: Sequence[Found]) -> None:
        parent.remove_children()
        for found in level:
            parent.add(self._label(found), data=found)
        parent.allow_expand = bool(level)

    async def on_tree_node_expanded(self, event: Tree.NodeExpanded[Found | None]) -> None:
        """Ask for a level when it is opened."""
        if not event.node.children:
            await self._open(event.node)

    async def _open(self, node: TreeNode[Found | None]) -> None:
        self.busy = True
        self.redraw()
        try:
            self._add(node, await self._server.children(node.data))
            self.trouble = None
        except AgentError as exc:
            self.trouble = exc.text
        finally:
            self.busy = False
        self.redraw()

    async def _keep_alive(self) -> None:
        """Keep the session: a server ends one from which it hears nothing for a minute."""
        if self.busy:
            return
        try:
            await self._server.children(None)
        except AgentError as exc:
            self.trouble = exc.text
            self.redraw()

    def on_tree_node_highlighted(self) -> None:
        """Say more about the node under the cursor."""
        self.redraw()

    def _mark(self, node: TreeNode[Found | None], *, on: bool) -> None:
        found = node.data
        if found is None or not usable(found):
            return
        if on:
            self.picked[found.node] = found
        else:
            self.picked.pop(found.node, None)
        node.set_label(self._label(found))

    def action_pick(self) -> None:
        """Pick the node under the cursor, or let it go."""
        node = self.nodes.cursor_node
        if node is not None and node.data is not None:
            self._mark(node, on=node.data.node not in self.picked)
            self.nodes.action_cursor_down()
        self.redraw()

    async def action_all(self) -> None:
        """Pick every variable directly below, or let all of them go."""
        node = self.nodes.cursor_node
        if node is None:
            return
        if node.data is not None and not node.allow_expand:
            node = node.parent or node
        if not node.children:
            await self._open(node)
            node.expand()
        able = [c for c in node.children if c.data is not None and usable(c.data)]
        on = any(c.data is not None and c.data.node not in self.picked for c in able)
        for child in able:
            self._mark(child, on=on)
        self.redraw()

    async def action_again(self) -> None:
        """Read the level of the cursor again."""
        node = self.nodes.cursor_node
        if node is not None:
            await self._open(node if node.allow_expand else node.parent or node)

    def action_search(self) -> None:
        """Ask for a pattern."""
        line = self.query_one("#filter", Input)
        line.placeholder = PATTERN(self.language)
        line.add_class("open")
        line.focus()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search the server, and show what was found in the place of the tree."""
        pattern = event.value.strip()
        self.query_one("#filter").remove_class("open")
        self.nodes.focus()
        if not pattern:
            return
        if not set(pattern) & set("*?/"):
            pattern = f"*{pattern}*"
        root = self.nodes.root
        self.busy = True
        self.redraw()
        level: list[Found] = []
        try:
            async for found in self._server.search(pattern, stopped=self._stopped):
                level.append(found)
                if len(level) >= MOST_FOUND:
                    self._stopped(Text(f"the first {MOST_FOUND} are shown", f"처음 {MOST_FOUND}개만 표시합니다"))
                    break
        except AgentError as exc:
            self.trouble = exc.text
        finally:
            self.busy = False
        root.set_label(f"/{pattern}  ({len(level)})")
        self._add(root, level)
        root.expand()
        self.redraw()

    def _stopped(self, why: Text) -> None:
        self.trouble = why

    async def action_back(self) -> None:
        """Close the search line; when it is closed, show the whole tree again."""
        line = self.query_one("#filter", Input)
        if line.has_class("open"):
            line.remove_class("open")
            self.nodes.focus()
            return
        self.trouble = None
        self.nodes.root.set_label("Objects")
        await self._open(self.nodes.root)

    def action_language(self) -> None:
        """Speak the other language."""
        self.language = languages(self.language)
        self.redraw()

    def action_write(self) -> None:
        """End with what was picked."""
        if self.picked:
            self.exit(list(self.picked.values()))

    def on_resize(self) -> None:
        """Fit the new size."""
        self.call_after_refresh(self.redraw)
