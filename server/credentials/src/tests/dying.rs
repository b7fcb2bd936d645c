//! `kill -9` between any two steps of writing a record into files.

use super::helper::{Helper, grant, owner, put, store};
use crate::vault;

fn token(world: &std::path::Path) -> Option<String> {
    let held = vault::read(&*store(world), &owner()).unwrap()?;
    Some(held.secrets.all()[0].expose().trim_end_matches('~').to_owned())
}

#[test]
fn a_writer_that_is_killed_leaves_the_old_or_the_new_record() {
    let mut deaths = 0;
    let (mut old, mut new) = (0, 0);
    for place in ["file.made", "file.written", "file.synced", "file.renamed"] {
        for passing in 1.. {
            let world = tempfile::tempdir().unwrap();
            let world = world.path();
            put(world, &grant("old", "old"));
            let mut helper = Helper::start(world, 0, Some(&format!("{place}:{passing}")));
            helper.say("write new");
            let survived = helper.answer().is_some();
            match token(world).as_deref() {
                Some("old") if !survived => old += 1,
                Some("new") => new += 1,
                other => panic!("killed at {place}, time {passing}: {other:?}"),
            }
            put(world, &grant("next", "next"));
            assert_eq!(token(world).as_deref(), Some("next"));
            let names = std::fs::read_dir(world.join("secrets")).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
            // A header and the five pieces of about 4,200 bytes; what was being written at that moment is hidden.
            assert_eq!(
                names.filter(|name| !name.starts_with('.')).count(),
                6,
                "killed at {place}, time {passing}"
            );
            if survived {
                break;
            }
            deaths += 1;
        }
    }
    // Seven items are written: a journal, five pieces and a header.
    assert_eq!(deaths, 4 * 7);
    assert!(old > 0 && new > 0);
}
