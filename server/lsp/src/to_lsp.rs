//! Between LSP's types and ours: the only module, with `frontend` and `worker::client`, that names `lsp_types`.
//!
//! A later move to newer protocol types is a change of these files.

use crate::answer::{
    Action, Completion, CompletionKind, Diagnostic, HoverAnswer, Inlay, Lens, LineEdit, Link,
};
use crate::event::{Change, ClientProfile, Selected, SignInId};
use crate::protocol::Call;
use lsp_types as lsp;
use pull_request::text::{Encoding, Position};
use pull_request::view::Severity;
use pull_request::view::document::Symbol;
use std::str::FromStr;

/// `None` for what the URI grammar refuses.
pub fn uri(text: &str) -> Option<lsp::Uri> {
    lsp::Uri::from_str(text).ok()
}

/// What the client can do, and the position encoding that follows from it.
pub fn profile(capabilities: &lsp::ClientCapabilities) -> ClientProfile {
    let workspace = capabilities.workspace.as_ref();
    let window = capabilities.window.as_ref();
    let offered = capabilities.general.as_ref().and_then(|general| general.position_encodings.as_ref());
    let document = capabilities.text_document.as_ref();
    let hover = document.and_then(|document| document.hover.as_ref()?.content_format.as_ref());
    // UTF-8 is the cheapest for us, UTF-16 is what every client has; the client's order is its preference.
    let encoding =
        offered.and_then(|offered| offered.iter().find_map(encoding_of)).unwrap_or(Encoding::Utf16);
    ClientProfile {
        encoding,
        configuration: workspace.and_then(|workspace| workspace.configuration).unwrap_or(false),
        settings_registration: workspace
            .and_then(|workspace| workspace.did_change_configuration?.dynamic_registration)
            .unwrap_or(false),
        markdown: hover.is_none_or(|formats| formats.contains(&lsp::MarkupKind::Markdown)),
        lens_refresh: workspace
            .and_then(|workspace| workspace.code_lens.as_ref()?.refresh_support)
            .unwrap_or(false),
        inlay_refresh: workspace
            .and_then(|workspace| workspace.inlay_hint.as_ref()?.refresh_support)
            .unwrap_or(false),
        progress: window.and_then(|window| window.work_done_progress).unwrap_or(false),
        show_document: window
            .and_then(|window| window.show_document.as_ref())
            .is_some_and(|show_document| show_document.support),
        apply_edit: workspace.and_then(|workspace| workspace.apply_edit).unwrap_or(false),
        draft_closed: false,
    }
}

/// The token of a sign-in's progress.
pub fn sign_in_token(id: SignInId) -> String {
    format!("{SIGN_IN}{}", id.0)
}

/// The sign-in whose progress has this token.
pub fn sign_in_of(token: &lsp::ProgressToken) -> Option<SignInId> {
    let lsp::ProgressToken::String(token) = token else { return None };
    token.strip_prefix(SIGN_IN)?.parse().ok().map(SignInId)
}

const SIGN_IN: &str = "bitbucket-sign-in-";

fn encoding_of(kind: &lsp::PositionEncodingKind) -> Option<Encoding> {
    match kind.as_str() {
        "utf-8" => Some(Encoding::Utf8),
        "utf-16" => Some(Encoding::Utf16),
        "utf-32" => Some(Encoding::Utf32),
        _ => None,
    }
}

/// The encoding's name in LSP.
pub fn encoding_kind(encoding: Encoding) -> lsp::PositionEncodingKind {
    match encoding {
        Encoding::Utf8 => lsp::PositionEncodingKind::UTF8,
        Encoding::Utf16 => lsp::PositionEncodingKind::UTF16,
        Encoding::Utf32 => lsp::PositionEncodingKind::UTF32,
    }
}

/// A position of ours.
pub fn position(position: lsp::Position) -> Position {
    Position { line: position.line, character: position.character }
}

/// A change of ours.
pub fn change(change: lsp::TextDocumentContentChangeEvent) -> Change {
    let range = change.range.map(|range| (position(range.start), position(range.end)));
    Change { range, text: change.text }
}

/// What actions are asked for. A client that does not say why it asks may ask because the user does.
pub fn selected(params: &lsp::CodeActionParams) -> Selected {
    let (start, end) = (params.range.start, params.range.end);
    let automatic = params.context.trigger_kind == Some(lsp::CodeActionTriggerKind::AUTOMATIC);
    // A selection of whole lines ends before the first letter of the next one.
    let last = if end.character == 0 && end.line > start.line { end.line - 1 } else { end.line };
    Selected { first: start.line, last, asked: !automatic || start != end }
}

fn range(start: (u32, u32), end: (u32, u32)) -> lsp::Range {
    lsp::Range::new(lsp::Position::new(start.0, start.1), lsp::Position::new(end.0, end.1))
}

/// A command with its argument.
pub fn command(title: &str, call: &Call) -> lsp::Command {
    let argument = serde_json::to_value(&call.target).unwrap_or_default();
    lsp::Command {
        title: title.to_owned(),
        command: call.command.spec().id.to_owned(),
        arguments: Some(vec![argument]),
    }
}

/// LSP `Hover`, as plain text where the client cannot show Markdown.
pub fn hover(answer: HoverAnswer, has_markdown: bool) -> lsp::Hover {
    let content = match has_markdown {
        true => markdown(answer.markdown),
        false => lsp::MarkupContent {
            kind: lsp::MarkupKind::PlainText,
            value: pull_request::view::plain_text(&answer.markdown),
        },
    };
    lsp::Hover {
        contents: lsp::HoverContents::Markup(content),
        range: Some(range((answer.lines.first, 0), (answer.lines.last, answer.end))),
    }
}

fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value }
}

/// LSP `CodeLens`.
pub fn lens(lens: Lens) -> lsp::CodeLens {
    lsp::CodeLens {
        range: range((lens.line, 0), (lens.line, 0)),
        command: Some(command(&lens.title, &lens.call)),
        data: None,
    }
}

/// LSP `CodeAction`.
pub fn action(action: Action) -> lsp::CodeActionOrCommand {
    lsp::CodeActionOrCommand::CodeAction(lsp::CodeAction {
        title: action.title.clone(),
        kind: action.is_fix.then_some(lsp::CodeActionKind::QUICKFIX),
        command: Some(command(&action.title, &action.call)),
        ..lsp::CodeAction::default()
    })
}

/// LSP `CompletionItem`.
pub fn completion(completion: Completion) -> lsp::CompletionItem {
    let (line, start, end) = completion.replaces;
    lsp::CompletionItem {
        label: completion.label,
        kind: Some(match completion.kind {
            CompletionKind::Person | CompletionKind::PullRequest => lsp::CompletionItemKind::REFERENCE,
            CompletionKind::Emoji => lsp::CompletionItemKind::TEXT,
            CompletionKind::Suggestion => lsp::CompletionItemKind::SNIPPET,
        }),
        detail: (!completion.detail.is_empty()).then_some(completion.detail),
        sort_text: Some(format!("{:06}", completion.rank)),
        filter_text: Some(completion.filter),
        text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit {
            range: range((line, start), (line, end)),
            new_text: completion.insert,
        })),
        ..lsp::CompletionItem::default()
    }
}

/// LSP `ApplyWorkspaceEditParams` for one version of a document; `None` where its URI is none.
pub fn edit(
    at: &str,
    version: i32,
    title: String,
    edits: Vec<LineEdit>,
) -> Option<lsp::ApplyWorkspaceEditParams> {
    let edits = edits.into_iter().map(|edit| {
        lsp::OneOf::Left(lsp::TextEdit { range: range(edit.start, edit.end), new_text: edit.text })
    });
    let document = lsp::TextDocumentEdit {
        text_document: lsp::OptionalVersionedTextDocumentIdentifier { uri: uri(at)?, version: Some(version) },
        edits: edits.collect(),
    };
    let edit = lsp::WorkspaceEdit {
        document_changes: Some(lsp::DocumentChanges::Edits(vec![document])),
        ..lsp::WorkspaceEdit::default()
    };
    Some(lsp::ApplyWorkspaceEditParams { label: Some(title), edit })
}

/// LSP `InlayHint`.
pub fn inlay(inlay: Inlay) -> lsp::InlayHint {
    lsp::InlayHint {
        position: lsp::Position::new(inlay.line, inlay.character),
        label: lsp::InlayHintLabel::String(inlay.label),
        kind: None,
        text_edits: None,
        // The hover of the line has the whole thread.
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    }
}

/// LSP `DocumentSymbol`.
#[allow(deprecated, reason = "lsp-types still has the deprecated member, and no builder")]
pub fn symbol(symbol: Symbol) -> lsp::DocumentSymbol {
    let children: Vec<lsp::DocumentSymbol> = symbol.children.into_iter().map(self::symbol).collect();
    lsp::DocumentSymbol {
        name: symbol.name,
        detail: Some(symbol.detail),
        kind: lsp::SymbolKind::STRING,
        tags: None,
        deprecated: None,
        range: range((symbol.lines.first, 0), (symbol.lines.last + 1, 0)),
        selection_range: range((symbol.selection, 0), (symbol.selection, 0)),
        children: (!children.is_empty()).then_some(children),
    }
}

/// LSP `DocumentLink`; `None` where the target is no URI.
pub fn link(link: Link) -> Option<lsp::DocumentLink> {
    Some(lsp::DocumentLink {
        range: range((link.line, link.columns.0), (link.line, link.columns.1)),
        target: Some(uri(&link.target)?),
        tooltip: None,
        data: None,
    })
}

/// LSP `Diagnostic` in the document `at`.
pub fn diagnostic(diagnostic: Diagnostic, at: &lsp::Uri) -> lsp::Diagnostic {
    let range = range(diagnostic.start, diagnostic.end);
    let related: Vec<lsp::DiagnosticRelatedInformation> = diagnostic
        .related
        .into_iter()
        .map(|message| lsp::DiagnosticRelatedInformation {
            location: lsp::Location { uri: at.clone(), range },
            message,
        })
        .collect();
    lsp::Diagnostic {
        range,
        severity: Some(match diagnostic.severity {
            Severity::Error => lsp::DiagnosticSeverity::ERROR,
            Severity::Warning => lsp::DiagnosticSeverity::WARNING,
            Severity::Information => lsp::DiagnosticSeverity::INFORMATION,
            Severity::Hint => lsp::DiagnosticSeverity::HINT,
        }),
        code: Some(lsp::NumberOrString::String(diagnostic.code)),
        code_description: diagnostic
            .link
            .and_then(|link| uri(&link))
            .map(|href| lsp::CodeDescription { href }),
        source: Some("bitbucket".into()),
        message: diagnostic.message,
        related_information: (!related.is_empty()).then_some(related),
        tags: diagnostic.unnecessary.then(|| vec![lsp::DiagnosticTag::UNNECESSARY]),
        data: diagnostic.thread.map(|thread| serde_json::json!({ "thread": thread })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pull_request::model::LineRange;

    #[test]
    fn a_client_that_has_only_plain_text_gets_plain_text() {
        let said = |formats: serde_json::Value| {
            let capabilities =
                serde_json::json!({ "textDocument": { "hover": { "contentFormat": formats } } });
            profile(&serde_json::from_value(capabilities).unwrap()).markdown
        };
        assert!(said(serde_json::json!(["plaintext", "markdown"])));
        assert!(!said(serde_json::json!(["plaintext"])));
        assert!(profile(&lsp::ClientCapabilities::default()).markdown, "nothing is said of it");
        let answer = HoverAnswer { markdown: "**Ana** `a`".into(), lines: LineRange::line(0), end: 1 };
        let content = |markdown| serde_json::to_value(hover(answer.clone(), markdown).contents).unwrap();
        assert_eq!(content(true), serde_json::json!({ "kind": "markdown", "value": "**Ana** `a`" }));
        assert_eq!(content(false), serde_json::json!({ "kind": "plaintext", "value": "Ana a" }));
    }

    #[test]
    fn settings_are_registered_for_only_where_the_client_takes_registrations() {
        let said = |workspace: serde_json::Value| {
            let capabilities = serde_json::json!({ "workspace": workspace });
            profile(&serde_json::from_value(capabilities).unwrap()).settings_registration
        };
        assert!(said(serde_json::json!({ "didChangeConfiguration": { "dynamicRegistration": true } })));
        assert!(!said(serde_json::json!({ "didChangeConfiguration": {} })));
        assert!(!said(serde_json::json!({ "configuration": true })));
    }

    #[test]
    fn the_clients_first_known_encoding_is_taken_and_utf_16_without_an_offer() {
        let mut capabilities = lsp::ClientCapabilities::default();
        assert_eq!(profile(&capabilities).encoding, Encoding::Utf16);
        capabilities.general = Some(lsp::GeneralClientCapabilities {
            position_encodings: Some(vec![
                lsp::PositionEncodingKind::new("utf-7"),
                lsp::PositionEncodingKind::UTF32,
                lsp::PositionEncodingKind::UTF8,
            ]),
            ..lsp::GeneralClientCapabilities::default()
        });
        assert_eq!(profile(&capabilities).encoding, Encoding::Utf32);
    }
}
