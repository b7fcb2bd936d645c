//! Texts on disk.

use std::fs;

use super::{about, discarded, drafts, folder, key, made};
use crate::record::{self, Typed};
use crate::{DraftId, Error, State};

#[test]
fn a_new_draft_is_on_disk() {
    let folder = folder();
    let drafts = drafts(&folder);
    assert_eq!(drafts.list(), []);
    let id = drafts.create("edit-task", &about(3), &key(3), "ana", "hello\n").unwrap();
    assert!(id.as_str().starts_with("edit-task-"));
    assert_eq!(fs::read_to_string(drafts.path(&id)).unwrap(), "hello\n");
    let entry = drafts.read(&id).unwrap();
    assert_eq!((&entry.about, entry.key.as_str(), entry.account.as_str()), (&about(3), &*key(3), "ana"));
    assert_eq!((&entry.state, entry.text.as_str(), &entry.sent), (&State::Draft, "hello\n", &None));
    assert!(entry.created > 1_700_000_000 && entry.changed == entry.created && !entry.elsewhere);
    assert_eq!(drafts.list(), [entry]);
}

#[cfg(unix)]
#[test]
fn drafts_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "x");
    drafts.keep_typed(&id, "y").unwrap();
    drafts.discard(&made(&drafts, "z")).unwrap();
    let mut files = 0;
    let mut left = vec![folder.path().join("drafts")];
    while let Some(path) = left.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        match path.is_dir() {
            true => left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path())),
            false => files += 1,
        }
    }
    assert_eq!(files, 5);
}

#[test]
fn only_its_own_files_are_drafts() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "x");
    assert_eq!(drafts.id_of(&drafts.path(&id)), Some(id.clone()));
    let around = folder.path().join("drafts/../drafts").join(format!("{id}.md"));
    assert_eq!(drafts.id_of(&around), Some(id.clone()));
    assert_eq!(drafts.id_of(&folder.path().join(format!("{id}.md"))), None);
    assert_eq!(drafts.id_of(&drafts.path(&id).with_extension("json")), None);
    for stranger in ["notes.md", ".reply.md.swp", "4913", &format!("{id}.md~")] {
        fs::write(folder.path().join("drafts").join(stranger), "x").unwrap();
    }
    assert_eq!(drafts.list().len(), 1);
}

#[test]
fn what_is_typed_is_kept_and_restored() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "begun");
    drafts.keep_typed(&id, "begun and").unwrap();
    drafts.keep_typed(&id, "begun and typed").unwrap();
    assert_eq!(fs::read_to_string(drafts.path(&id)).unwrap(), "begun", "that one is the editor's");
    assert_eq!(drafts.read(&id).unwrap().text, "begun and typed");
    assert!(drafts.restore(&id).unwrap());
    assert_eq!(fs::read_to_string(drafts.path(&id)).unwrap(), "begun and typed");
    assert!(!drafts.restore(&id).unwrap());
    assert_eq!(discarded(&folder), Vec::<String>::new());
}

#[test]
fn a_save_is_newer_than_what_was_typed_before_it() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "begun");
    drafts.keep_typed(&id, "typed").unwrap();
    fs::write(drafts.path(&id), "saved").unwrap();
    assert_eq!(drafts.read(&id).unwrap().text, "saved");
    assert!(!drafts.restore(&id).unwrap());
    assert_eq!(fs::read_to_string(drafts.path(&id)).unwrap(), "saved");
    assert_eq!(discarded(&folder).len(), 1, "the copy is put aside");
    assert!(discarded(&folder)[0].contains("typed"));
    // Typed and saved: the copy is of no use.
    drafts.keep_typed(&id, "typed again").unwrap();
    fs::write(drafts.path(&id), "typed again").unwrap();
    drafts.keep_typed(&id, "typed again").unwrap();
    assert!(!drafts.restore(&id).unwrap());
    assert_eq!(discarded(&folder).len(), 1);
}

#[test]
fn what_another_process_kept_is_put_aside() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "begun");
    let other = Typed { over: None, by: "another".into(), text: "typed there".into() };
    for (here, aside) in [("typed here", 1), ("begun", 2), ("typed there", 3)] {
        record::write(&drafts.typed_of(&id), &other).unwrap();
        drafts.keep_typed(&id, here).unwrap();
        assert_eq!((drafts.read(&id).unwrap().text.as_str(), discarded(&folder).len()), (here, aside));
    }
    drafts.keep_typed(&id, "typed here").unwrap();
    drafts.keep_typed(&id, "typed here too").unwrap();
    assert_eq!(discarded(&folder).len(), 3, "what this process kept is replaced");
    fs::write(drafts.typed_of(&id), "damaged").unwrap();
    drafts.keep_typed(&id, "typed here").unwrap();
    assert!(discarded(&folder).contains(&"damaged".to_owned()));
}

#[test]
fn a_window_that_restores_takes_nothing_from_one_that_types() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "begun");
    std::thread::scope(|scope| {
        let typing = scope.spawn(|| {
            for typed in 0..300 {
                drafts.keep_typed(&id, &format!("typed {typed}")).unwrap();
                assert_eq!(drafts.read(&id).unwrap().text, format!("typed {typed}"));
            }
        });
        let mut restored = 0;
        while !typing.is_finished() {
            restored += u32::from(drafts.restore(&id).unwrap());
        }
        assert!(restored > 0);
    });
}

#[test]
fn a_file_that_is_gone_comes_back() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "begun");
    drafts.keep_typed(&id, "typed").unwrap();
    fs::remove_file(drafts.path(&id)).unwrap();
    assert_eq!(drafts.read(&id).unwrap().text, "typed");
    assert!(drafts.restore(&id).unwrap());
    assert_eq!(fs::read_to_string(drafts.path(&id)).unwrap(), "typed");
    drafts.write_text(&id, "written").unwrap();
    assert_eq!(drafts.read(&id).unwrap().text, "written");
}

#[test]
fn bytes_and_modes_of_other_programs_are_borne() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "x");
    fs::remove_file(drafts.path(&id)).unwrap();
    fs::write(drafts.path(&id), b"caf\xe9\r\n").unwrap();
    assert_eq!(drafts.read(&id).unwrap().text, "caf\u{fffd}\r\n");
    drafts.keep_typed(&id, "typed").unwrap();
    assert_eq!(drafts.read(&id).unwrap().text, "typed");
}

#[test]
fn a_damaged_record_loses_no_text() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "text");
    let record = drafts.path(&id).with_extension("json");
    let whole = fs::read(&record).unwrap();
    for damage in [&b""[..], b"\0\0\0", &whole[..whole.len() / 2], b"{}", b"[]", b"null"] {
        fs::write(&record, damage).unwrap();
        let entries = drafts.list();
        assert_eq!((entries.len(), &entries[0].about, entries[0].text.as_str()), (1, &().into(), "text"));
        assert!(matches!(entries[0].state, State::Unknown { .. }), "it may have been sent");
    }
    fs::remove_file(&record).unwrap();
    let entries = drafts.list();
    assert_eq!((entries.len(), &entries[0].state, entries[0].text.as_str()), (1, &State::Draft, "text"));
    assert!(entries[0].created > 1_700_000_000);
    fs::write(&record, &whole).unwrap();
    assert_eq!(drafts.read(&id).unwrap().about, about(1));
}

#[test]
fn discarded_drafts_are_kept_for_a_month() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "begun");
    drafts.keep_typed(&id, "typed").unwrap();
    drafts.discard(&id).unwrap();
    assert_eq!(drafts.list(), []);
    for gone in [drafts.read(&id).map(drop), drafts.discard(&id), drafts.keep_typed(&id, "x")] {
        assert_eq!(gone, Err(Error::Gone));
    }
    assert_eq!((drafts.write_text(&id, "x"), drafts.again(&id)), (Err(Error::Gone), Err(Error::Gone)));
    assert_eq!(discarded(&folder).len(), 2);
    let now = crate::service::system_now();
    let other = made(&drafts, "stays");
    drafts.sweep(now + 29 * 86_400);
    assert_eq!(discarded(&folder).len(), 2);
    drafts.sweep(now + 31 * 86_400);
    assert_eq!(discarded(&folder), Vec::<String>::new());
    assert_eq!(drafts.list().len(), 1);
    assert_eq!(drafts.read(&other).unwrap().text, "stays");
}

#[test]
fn an_old_text_is_kept_for_a_month_from_when_it_was_discarded() {
    let folder = folder();
    let drafts = drafts(&folder);
    let id = made(&drafts, "old");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(365 * 86_400);
    fs::File::options().write(true).open(drafts.path(&id)).unwrap().set_modified(long_ago).unwrap();
    drafts.discard(&id).unwrap();
    drafts.sweep(crate::service::system_now());
    assert_eq!(discarded(&folder), ["old"]);
}

#[test]
fn a_disk_that_cannot_be_written_is_said() {
    let folder = folder();
    fs::write(folder.path().join("drafts"), "a file").unwrap();
    let drafts = drafts(&folder);
    let refused = drafts.create("reply", &about(1), &key(1), "ana", "x").unwrap_err();
    assert!(matches!(&refused, Error::Disk { path, .. } if path.ends_with("drafts")), "{refused}");
    assert!(drafts.list().is_empty());
    assert_eq!(drafts.restore(&DraftId::new("x").unwrap()).map_err(|error| error != Error::Gone), Err(true));
}
