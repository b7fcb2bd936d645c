//! `bitbucket-lsp doctor`: what the server would find, step by step, each with what to do if it is wrong.

use crate::event::Trouble;
use crate::session::AccountState;
use crate::worker::{Environment, once};
use pull_request::view::markdown::plain;
use std::path::Path;

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether all is well with it.
    pub ok: bool,
    /// One sentence.
    pub sentence: String,
}

fn good(sentence: impl Into<String>) -> Finding {
    Finding { ok: true, sentence: sentence.into() }
}

fn bad(sentence: impl Into<String>) -> Finding {
    Finding { ok: false, sentence: sentence.into() }
}

/// Looks at everything; `config` is the outcome of reading the user's file.
pub async fn examine(
    folder: &Path,
    environment: &Environment,
    config: Result<String, String>,
) -> Vec<Finding> {
    let mut findings = vec![good(format!("This is bitbucket-lsp {}.", env!("CARGO_PKG_VERSION")))];
    let broken_config = config.as_ref().err().cloned();
    findings.push(match config {
        Ok(sentence) => good(sentence),
        Err(sentence) => bad(sentence),
    });
    findings.push(good(format!(
        "Bitbucket is {}, its API {}.",
        environment.origin.web(),
        environment.origin.api()
    )));
    let signed_in = match environment.account_state() {
        AccountState::SignedOut(sentence) => {
            // Said above already, where the file is why nobody is signed in.
            if broken_config.as_ref() != Some(&sentence) {
                findings.push(bad(sentence));
            }
            false
        }
        AccountState::SignedIn => {
            findings.push(match once::identify(environment).await {
                Ok(user) => {
                    good(format!("Bitbucket accepts the credentials of {}.", plain(&user.display_name, 80)))
                }
                Err(problem)
                    if problem.trouble == Trouble::Refused || problem.trouble == Trouble::NotFound =>
                {
                    // Tokens of a repository have no user; whether they work is seen below.
                    bad(format!("Who you are could not be read. {}", problem.sentence))
                }
                Err(problem) => bad(problem.sentence),
            });
            true
        }
    };
    let repository = match once::discover(folder, environment) {
        Ok(repository) => repository,
        Err(why) => {
            findings.push(bad(why));
            return findings;
        }
    };
    let discovery = &repository.discovery;
    findings.push(good(format!("The repository is {}.", discovery.root.display())));
    findings.extend(
        discovery.remarks.iter().map(|remark| Finding { ok: discovery.trusted, sentence: remark.clone() }),
    );
    for remote in &discovery.remotes {
        findings.push(match &remote.repository {
            Ok(name) => good(format!("Remote {} is {name} on Bitbucket.", remote.name)),
            Err(why) => good(format!("Remote {} is not used: {why}", remote.name)),
        });
    }
    if discovery.candidates.is_empty() {
        findings.push(bad("No remote is on Bitbucket; add one, or open another folder."));
    } else if signed_in && discovery.trusted {
        match once::find(&repository, environment).await {
            Ok(found) => {
                findings.extend(found.explanation.into_iter().map(good));
                if let Some((name, pull_request)) = found.pull_requests.first() {
                    let title = plain(&pull_request.title, 80);
                    findings.push(good(format!(
                        "Its comments are shown: pull request {} of {name}, {title}.",
                        pull_request.id
                    )));
                }
            }
            Err(problem) => findings.push(bad(problem.sentence)),
        }
    }
    findings
}

/// The report as text.
pub fn report(findings: &[Finding]) -> String {
    let mark = |finding: &Finding| if finding.ok { "ok  " } else { "  ! " };
    findings.iter().map(|finding| format!("{}{}\n", mark(finding), plain(&finding.sentence, 2_000))).collect()
}
