"""A second, independent client: pytest-lsp, as Emacs, Neovim and VS Code introduce themselves.

Each message of the server is decoded by lsprotocol's types, and checked against what that editor said it can do; a
message that does not fit is an LspSpecificationWarning, which is an error here. Run it in a world (tests/e2e/run does).
"""

import ast
import asyncio
import os
import pathlib

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import client_capabilities
from pytest_lsp.client import make_test_lsp_client

CLONE = pathlib.Path(os.environ["E2E_CLONE"])
PROFILES = ["emacs", "neovim@v0.10", "neovim@v0.11", "visual_studio_code"]
PATIENCE = 15


@pytest_asyncio.fixture(params=PROFILES)
async def client(request):
    """An editor that has opened the sample; afterwards the server must end well."""
    editor = make_test_lsp_client()
    for method in (types.WORKSPACE_CODE_LENS_REFRESH, types.WORKSPACE_INLAY_HINT_REFRESH):
        editor.feature(method)(lambda *_: None)
    editor.registered = []
    editor.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: editor.registered.extend(params.registrations))
    editor.set_configuration({"bitbucket": {}})
    await editor.start_io("bitbucket-lsp")
    editor.result = await editor.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(uri=CLONE.as_uri(), name="till")],
        )
    )
    yield editor
    await editor.shutdown_session()
    assert editor._server.returncode == 0
    assert editor.error is None


def uri(path):
    return (CLONE / path).as_uri()


async def until(condition):
    """Waits until a condition is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


async def shows(client, path, lines):
    """Waits until a file has comments on these lines, counted from 1."""
    try:
        await until(lambda: found(client, path) == lines)
    except TimeoutError:
        pytest.fail(f"{path} has comments on {found(client, path)}, not on {lines}")


def found(client, path):
    return sorted(one.range.start.line + 1 for one in client.diagnostics.get(uri(path), []))


def opens(client, path):
    document = types.TextDocumentItem(uri=uri(path), language_id="python", version=1, text=(CLONE / path).read_text())
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))


def identifier(path):
    return types.TextDocumentIdentifier(uri=uri(path))


def edits(client, path, version, line, text):
    """Puts lines into an open document, without saving."""
    at = types.Position(line=line, character=0)
    change = types.TextDocumentContentChangePartial(range=types.Range(start=at, end=at), text=text)
    document = types.VersionedTextDocumentIdentifier(uri=uri(path), version=version)
    client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]))


async def hover(client, path, line):
    at = types.Position(line=line - 1, character=0)
    return await client.text_document_hover_async(types.HoverParams(text_document=identifier(path), position=at))


async def actions(client, path, line):
    at = types.Position(line=line - 1, character=0)
    context = types.CodeActionContext(diagnostics=[], trigger_kind=types.CodeActionTriggerKind.Invoked)
    params = types.CodeActionParams(text_document=identifier(path), range=types.Range(start=at, end=at), context=context)
    answer = await client.text_document_code_action_async(params) or []
    # lsprotocol 2025.0.0 takes each action that has a command for a bare command, and keeps that as text.
    return {action.title: types.Command(title=action.title, **picked(action.command)) for action in answer}


def picked(text):
    command = ast.literal_eval(text)
    return {"command": command["command"], "arguments": command["arguments"]}


async def run(client, command):
    params = types.ExecuteCommandParams(command=command.command, arguments=command.arguments)
    return await client.workspace_execute_command_async(params)


@pytest.mark.asyncio
async def test_comments_of_all_files_are_published(client):
    await shows(client, "till/cart.py", [35])
    await shows(client, "till/discounts.py", [1, 13, 15, 24])
    await shows(client, "till/receipt.py", [18])
    await shows(client, "tests/test_cart.py", [16])
    (comment,) = client.diagnostics[uri("till/cart.py")]
    assert comment.source == "bitbucket"
    assert comment.severity == types.DiagnosticSeverity.Information
    assert comment.message.startswith("Ben Okafor: Does the order matter?")


@pytest.mark.asyncio
async def test_the_position_encoding_is_one_that_the_client_offered(client):
    offered = client.capabilities.general and client.capabilities.general.position_encodings
    assert client.result.capabilities.position_encoding in (offered or ["utf-16"])
    opens(client, "till/receipt.py")
    await shows(client, "till/receipt.py", [18])
    edits(client, "till/receipt.py", 2, 17, "# 🧾\n")
    await shows(client, "till/receipt.py", [19])
    at = types.Position(line=18, character=0)
    change = types.TextDocumentContentChangePartial(range=types.Range(start=at, end=at), text="🧾")
    document = types.VersionedTextDocumentIdentifier(uri=uri("till/receipt.py"), version=3)
    client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]))
    line = "🧾" + (CLONE / "till/receipt.py").read_text().splitlines()[17]
    units = {"utf-8": len(line.encode()), "utf-16": len(line.encode("utf-16-le")) // 2, "utf-32": len(line)}
    expected = units[client.result.capabilities.position_encoding]
    await until(lambda: [one.range.end.character for one in client.diagnostics[uri("till/receipt.py")]] == [expected])


@pytest.mark.asyncio
async def test_comments_follow_edits_that_are_not_saved(client):
    opens(client, "till/discounts.py")
    await shows(client, "till/discounts.py", [1, 13, 15, 24])
    edits(client, "till/discounts.py", 2, 5, "import enum\nimport math\n")
    await shows(client, "till/discounts.py", [1, 15, 17, 26])
    shown = await hover(client, "till/discounts.py", 15)
    assert "moved from line 13" in shown.contents.value


@pytest.mark.asyncio
async def test_a_hover_is_in_a_format_that_the_client_has(client):
    opens(client, "till/cart.py")
    await shows(client, "till/cart.py", [35])
    shown = await hover(client, "till/cart.py", 35)
    formats = client.capabilities.text_document.hover.content_format
    assert shown.contents.kind in formats
    assert "Does the order matter?" in shown.contents.value
    assert ("**" in shown.contents.value) == (shown.contents.kind == types.MarkupKind.Markdown)
    assert await hover(client, "till/cart.py", 30) is None


@pytest.mark.asyncio
async def test_lenses_actions_and_commands(client):
    opens(client, "till/cart.py")
    await shows(client, "till/cart.py", [35])
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(text_document=identifier("till/cart.py")))
    assert [lens.range.start.line + 1 for lens in lenses] == [1, 35, 35, 35]
    offered = await actions(client, "till/cart.py", 35)
    for title in ("Bitbucket: Show thread", "Bitbucket: Open in browser", "Bitbucket: Copy link"):
        assert title in offered
    # What a lens does, an action does: some editors have no lenses.
    of_lens, of_action = lenses[1].command, offered["Bitbucket: Show thread"]
    assert (of_lens.command, list(of_lens.arguments)) == (of_action.command, of_action.arguments)
    link = await run(client, offered["Bitbucket: Copy link"])
    text = link["text"] if isinstance(link, dict) else link.text
    assert text.startswith(os.environ["BITBUCKET_WEB_URL"])


@pytest.mark.asyncio
async def test_the_pull_request_is_a_document_with_parts(client):
    opens(client, "till/cart.py")
    await shows(client, "till/cart.py", [35])
    await run(client, types.Command(title="", command="bitbucket.showPullRequest", arguments=[{"uri": uri("till/cart.py")}]))
    can_show = client.capabilities.window.show_document is not None
    await until(lambda: client.shown_documents if can_show else client.messages)
    if not can_show:
        assert "pull-request-4.md" in client.messages[-1].message
        return
    shown = pathlib.Path(client.shown_documents[-1].uri.removeprefix("file://"))
    document = types.TextDocumentItem(uri=shown.as_uri(), language_id="markdown", version=1, text=shown.read_text())
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
    of_document = types.TextDocumentIdentifier(uri=shown.as_uri())
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(text_document=of_document))
    assert [part.name for part in symbols[0].children] == [
        "Description", "Reviewers", "Builds", "Tasks", "Comments", "Threads",
    ]
    links = await client.text_document_document_link_async(types.DocumentLinkParams(text_document=of_document))
    assert any(link.target.endswith("/till/cart.py#L35") for link in links)
    lines = shown.read_text().splitlines()
    for link in links:
        assert link.range.end.character <= len(lines[link.range.start.line].encode())


@pytest.mark.asyncio
async def test_nothing_is_registered_that_the_client_did_not_offer(client):
    await shows(client, "till/cart.py", [35])
    offered = client.capabilities.workspace.did_change_configuration
    if not (offered and offered.dynamic_registration):
        assert not [one.method for one in client.registered]
