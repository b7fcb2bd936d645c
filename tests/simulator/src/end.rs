//! When the programs of this crate end: by their input or by a signal, so that they clean up behind them.

use std::io::Read;

use tokio::sync::oneshot;

/// Waits until standard input ends, or the process is interrupted, asked to end, or its terminal is closed.
pub async fn until_told_to_end() {
    let (ended, input) = oneshot::channel();
    // A thread of its own: a blocked read must not keep the runtime from ending.
    std::thread::spawn(move || {
        // An error is an end as well.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    tokio::select! {
        _ = input => {}
        () = signalled() => {}
    }
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let of = |kind| signal(kind).ok();
    let (interrupt, terminate, hangup) =
        (of(SignalKind::interrupt()), of(SignalKind::terminate()), of(SignalKind::hangup()));
    let (Some(mut interrupt), Some(mut terminate), Some(mut hangup)) = (interrupt, terminate, hangup) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    // Without the signal there is still the input.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
