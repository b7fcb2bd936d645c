//! The gate under a clock that the test holds.

use super::*;

fn gate() -> Gate {
    Gate::new(&Options::default())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

async fn enter(gate: &Gate) -> Result<Pass<'_>, Error> {
    gate.enter(soon()).await
}

#[tokio::test(start_paused = true)]
async fn a_429_closes_the_gate_for_as_long_as_it_says() {
    let gate = gate();
    enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(120)));
    assert_eq!(gate.budget().waiting, Some(Duration::from_secs(120)));
    let error = enter(&gate).await.err().unwrap();
    assert_eq!(error, Error::RateLimited { retry_after: Duration::from_secs(120) });
    tokio::time::advance(Duration::from_secs(100)).await;
    // 20 seconds are left, which is within the deadline: it waits.
    let before = Instant::now();
    enter(&gate).await.ok().unwrap().answered();
    assert_eq!(before.elapsed().as_secs(), 20);
    assert_eq!(gate.budget().waiting, None);
    enter(&gate).await.ok().unwrap().answered();
}

#[tokio::test(start_paused = true)]
async fn what_retry_after_says_is_clamped() {
    let gate = gate();
    for (told, waits) in [(0, 1), (1, 1), (300, 300), (86_400, 300)] {
        enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(told)));
        assert_eq!(gate.budget().waiting, Some(Duration::from_secs(waits)));
        tokio::time::advance(Duration::from_secs(waits)).await;
        enter(&gate).await.ok().unwrap().answered();
    }
}

#[tokio::test(start_paused = true)]
async fn without_retry_after_the_wait_doubles_with_jitter() {
    let gate = gate();
    for most in [15.0, 30.0, 60.0, 120.0, 240.0, 300.0, 300.0] {
        enter(&gate).await.ok().unwrap().limited(None);
        let wait = gate.budget().waiting.unwrap().as_secs_f64();
        assert!((most / 2.0..=most).contains(&wait), "{wait} of {most}");
        tokio::time::advance(Duration::from_secs_f64(wait)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_sends_one_request_a_window() {
    let gate = gate();
    enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(5)));
    let mut sent = 0;
    let start = Instant::now();
    for _ in 0..1000 {
        let deadline = Instant::now() + Duration::from_millis(10);
        if let Ok(pass) = gate.enter(deadline).await {
            sent += 1;
            pass.limited(Some(Duration::from_secs(5)));
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let windows = start.elapsed().as_secs() / 5;
    assert!(sent >= 1 && u64::from(sent as u32) <= windows, "{sent} in {windows} windows");
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_and_the_others_follow_its_success() {
    let gate = gate();
    enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(2)));
    tokio::time::advance(Duration::from_secs(2)).await;
    let probe = enter(&gate).await.ok().unwrap();
    let too_early = gate.enter(Instant::now() + Duration::from_millis(5)).await;
    assert_eq!(too_early.err(), Some(Error::Timeout));
    let (second, ()) = tokio::join!(enter(&gate), async { probe.answered() });
    second.ok().unwrap().answered();
    // A probe whose caller gave up makes room for the next.
    enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(2)));
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(enter(&gate).await.ok().unwrap());
    enter(&gate).await.ok().unwrap().answered();
}

#[tokio::test(start_paused = true)]
async fn late_answers_of_the_last_window_do_not_open_the_gate() {
    let gate = gate();
    let (one, two) = (enter(&gate).await.ok().unwrap(), enter(&gate).await.ok().unwrap());
    one.limited(Some(Duration::from_secs(60)));
    two.answered();
    assert_eq!(gate.budget().waiting, Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn five_failures_make_it_rest_and_a_wake_up_ends_the_rest() {
    let gate = gate();
    for _ in 0..4 {
        enter(&gate).await.ok().unwrap().failed();
    }
    enter(&gate).await.ok().unwrap().answered();
    for _ in 0..5 {
        enter(&gate).await.ok().unwrap().failed();
    }
    let first = gate.budget().waiting.unwrap();
    let error = enter(&gate).await.err().unwrap();
    assert_eq!(error, Error::Offline { outage: Outage::Resting, retry_after: Some(first) });
    tokio::time::advance(first).await;
    // Half open: one failure is enough to rest again, and longer.
    enter(&gate).await.ok().unwrap().failed();
    assert!(gate.budget().waiting.is_some());
    gate.wake();
    enter(&gate).await.ok().unwrap().answered();
    enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(60)));
    gate.wake();
    assert_eq!(gate.budget().waiting, Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_of_the_last_hour() {
    let gate = gate();
    for _ in 0..90 {
        gate.spend();
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!(gate.budget(), Budget { spent_last_hour: 59, limit: 1000, waiting: None });
    gate.learn_limit(2000);
    tokio::time::advance(HOUR).await;
    assert_eq!(gate.budget(), Budget { spent_last_hour: 0, limit: 2000, waiting: None });
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_for_long_is_told_why() {
    let patience = Duration::from_secs(2);
    let gate = gate();
    let start = Instant::now();
    enter(&gate).await.ok().unwrap().limited(Some(Duration::from_secs(10)));
    let error = gate.enter_within(patience).await.err().unwrap();
    assert_eq!(error, Error::RateLimited { retry_after: Duration::from_secs(10) });
    assert_eq!(start.elapsed(), Duration::ZERO);
    // A second before the end it is waited for; who comes next waits for the one that went.
    tokio::time::advance(Duration::from_secs(9)).await;
    let probe = gate.enter_within(patience).await.ok().unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
    let error = gate.enter_within(patience).await.err().unwrap();
    assert_eq!(error, Error::RateLimited { retry_after: Duration::ZERO });
    assert_eq!(start.elapsed().as_secs(), 12);
    probe.failed();
    let error = gate.enter_within(patience).await.err().unwrap();
    assert!(matches!(error, Error::Offline { outage: Outage::Resting, retry_after: Some(_) }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 12);
    gate.wake();
    assert!(gate.enter_within(patience).await.is_ok());
}
