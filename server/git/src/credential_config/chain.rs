//! Which credential helpers git runs for an address, by all its configuration.
//!
//! It must not run them, nor judge them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::config::section::is_trusted;
use gix::config::{File, Source, file};

use super::matching::Asked;
use super::{Environment, command_line};
use crate::repository::Repository;

/// The credential helpers that git runs for an address, in their order, as they are written in the configuration of
/// the system, the user and the repository, and on the command line of the git that runs this program; an empty one
/// takes back those before it.
///
/// With a repository, its configuration is taken as [`discover`](crate::discover) reads it; without, `environment`
/// says where the files are.
/// They are where most builds of git look: `/etc/gitconfig` on Unix.
///
/// A helper can be any line of shell, even one with a password in it: show no more of it than its first word.
pub fn helpers_for(url: &str, repository: Option<&Repository>, environment: &Environment<'_>) -> Vec<String> {
    let mut helpers = Vec::new();
    each_section(url, repository, environment, &mut |section| {
        for helper in section.values("helper") {
            if helper.is_empty() {
                helpers.clear();
            } else {
                helpers.push(helper.to_str_lossy().into_owned());
            }
        }
    });
    helpers
}

/// Whether git tells the helpers the path of an address, and not only its host; read as in [`helpers_for`].
pub fn use_http_path(url: &str, repository: Option<&Repository>, environment: &Environment<'_>) -> bool {
    let mut used = false;
    each_section(url, repository, environment, &mut |section| {
        let value = section.value("useHttpPath").and_then(|value| gix::config::Boolean::try_from(value).ok());
        used = value.map_or(used, |value| value.0);
    });
    used
}

/// Visits each `credential` section that is about the address.
fn each_section(
    url: &str,
    repository: Option<&Repository>,
    environment: &Environment<'_>,
    visit: &mut dyn FnMut(file::SectionRef<'_>),
) {
    let asked = Asked::new(url);
    let mut visit_all = |config: &File| {
        for section in config.sections_by_name_and_filter("credential", is_trusted).into_iter().flatten() {
            let pattern = section.header().subsection_name();
            if pattern.is_none_or(|pattern| asked.fits(&pattern.to_str_lossy())) {
                visit(section);
            }
        }
    };
    match repository {
        Some(repository) => visit_all(repository.handle().config_snapshot().plumbing()),
        None => outside_repositories(environment).iter().for_each(&mut visit_all),
    }
    visit_all(&command_line::all(environment));
}

/// The files of the system and the user, with what they include; one that cannot be read is left out.
fn outside_repositories(environment: &Environment<'_>) -> Vec<File> {
    let home = environment("HOME").map(PathBuf::from);
    let mut look_up = |name: &str| {
        let value = environment(name);
        let value = value.filter(|value| name != "XDG_CONFIG_HOME" || !value.is_empty());
        value.map(OsString::from)
    };
    let mut paths: Vec<(PathBuf, Source)> = Vec::new();
    for source in [Source::System, Source::Git, Source::User] {
        if let Some(path) = source.storage_location(&mut look_up)
            && !paths.iter().any(|(known, _)| *known == path)
        {
            paths.push((path, source));
        }
    }
    paths.into_iter().filter_map(|(path, source)| read(path, source, home.as_deref())).collect()
}

fn read(path: PathBuf, source: Source, home: Option<&Path>) -> Option<File> {
    let meta = path.is_file().then(|| file::Metadata::from(source).at(path).with(gix::sec::Trust::Full))?;
    let options = file::init::Options {
        includes: file::includes::Options::follow_without_conditional(home),
        ..Default::default()
    };
    File::from_paths_metadata([meta], options).ok().flatten()
}
