//! Where journeys leave what they saw: the folder that `JOURNEY_LOGS` names, which is searched and checked when all of
//! them have run. Without it nothing is left.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A place for something of a journey, `NAME` and `ending`, below a folder of the logs, which is made. A journey may
/// have several servers and worlds of one name: the second gets `NAME.2`, and so on.
pub(crate) fn place(below: &str, name: &str, ending: &str) -> Option<PathBuf> {
    static TAKEN: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);
    let folder = Path::new(&std::env::var_os("JOURNEY_LOGS")?).join(below);
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let number = taken.entry(format!("{below}/{name}{ending}")).or_default();
    *number += 1;
    Some(folder.join(match *number {
        1 => format!("{name}{ending}"),
        number => format!("{name}.{number}{ending}"),
    }))
}
