//! The accept loop: one task for each connection, faults before and after the routes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::api::{self, Routed};
use crate::faults::{Fault, Loss, Plan, broken};
use crate::http::{Answer, Connection, Request};
use crate::simulator::Shared;
use crate::{control, git_http, oauth, web};

/// Takes connections until the runtime ends.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&shared)))),
            // Out of descriptors, most likely: connections that end will free some.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut connection = Connection::new(stream);
    while let Ok(Some(request)) = connection.read().await {
        if request.path.starts_with("/_simulator/") {
            let answer = control::answer(&shared, &request);
            if deliver(&mut connection, &answer, &Plan::default()).await.is_err() {
                return;
            }
            continue;
        }
        let mut releases = shared.faults.releases();
        let plan = shared.faults.plan(&request.method, &request.path);
        let number = shared.log.begin(&request, plan.names());
        tokio::time::sleep(plan.latency()).await;
        if plan.has(&Fault::Hold) && releases.changed().await.is_err() {
            return;
        }
        if plan.has(&Fault::Reset) || plan.has(&Fault::Offline) {
            shared.log.end(number, None, true);
            return connection.reset();
        }
        let routed = match plan.answer() {
            Some(answer) => Routed { answer, known: true },
            None => route(&shared, &request).await,
        };
        let mut answer = altered(routed.answer, &plan, &shared, &request);
        #[cfg(feature = "openapi")]
        shared.keep(&request, &answer, &plan, routed.known);
        match plan.late() {
            Some(Some(time)) => tokio::time::sleep(time).await,
            Some(None) if releases.changed().await.is_err() => return,
            _ => {}
        }
        match plan.loss() {
            Some(loss @ (Loss::Reset | Loss::Timeout)) => {
                if loss == Loss::Timeout {
                    tokio::select! {
                        () = connection.closed() => {}
                        _ = releases.changed() => {}
                    }
                }
                shared.log.end(number, None, routed.known);
                return connection.reset();
            }
            Some(Loss::Status(status)) => answer = broken(status),
            Some(Loss::Cut) | None => {}
        }
        let sent = deliver(&mut connection, &answer, &plan).await;
        let status = sent.is_ok().then_some(answer.status);
        shared.log.end(number, status, routed.known);
        if sent.is_err() || plan.cuts() {
            return;
        }
    }
}

/// Routes may wait for git, so they run where waiting is allowed.
async fn route(shared: &Arc<Shared>, request: &Request) -> Routed {
    let (shared, request) = (Arc::clone(shared), request.clone());
    let done = tokio::task::spawn_blocking(move || {
        if request.path == "/2.0" || request.path.starts_with("/2.0/") {
            return api::answer(&shared.world, &request);
        }
        let found = oauth::answer(&shared.world, &request)
            .or_else(|| git_http::answer(&shared.world, &request))
            .or_else(|| web::answer(&shared.world, &request));
        let known = found.is_some();
        Routed { answer: found.unwrap_or_else(|| Answer::text(404, "Not Found")), known }
    });
    // A request that was under way when the simulator ended is nobody's fault; one that broke it is.
    let broken = |error: tokio::task::JoinError| Routed {
        answer: Answer::text(500, "The simulator broke; see its output."),
        known: error.is_cancelled(),
    };
    done.await.unwrap_or_else(broken)
}

fn altered(mut answer: Answer, plan: &Plan, shared: &Shared, request: &Request) -> Answer {
    if !(200..300).contains(&answer.status) || plan.faults.is_empty() {
        return answer;
    }
    if let Ok(mut body) = serde_json::from_slice(&answer.body) {
        let web = shared.world.read().map(|world| world.web.clone()).unwrap_or_default();
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let here = format!("{web}{}{query}", request.path);
        plan.faults.iter().for_each(|fault| fault.alter(&mut body, &here));
        answer.body = body.to_string().into_bytes();
    }
    if plan.has(&Fault::TruncatedJson) {
        answer.body.truncate(answer.body.len() / 2);
    }
    answer
}

async fn deliver(connection: &mut Connection, answer: &Answer, plan: &Plan) -> io::Result<()> {
    if plan.cuts() && answer.body.is_empty() {
        return connection.half_a_head(answer).await;
    }
    connection.head(answer, answer.body.len()).await?;
    if plan.cuts() {
        return connection.part(&answer.body[..answer.body.len() / 2]).await;
    }
    let Some(bytes) = plan.slow_body() else {
        return connection.part(&answer.body).await;
    };
    for part in answer.body.chunks(bytes) {
        connection.part(part).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[cfg(feature = "openapi")]
impl Shared {
    /// Keeps an exchange for the OpenAPI check; an answer that a fault altered counts for nothing.
    fn keep(&self, request: &Request, answer: &Answer, plan: &Plan, known: bool) {
        if !known || !request.path.starts_with("/2.0/") {
            return;
        }
        let answer = (!plan.alters()).then_some(answer);
        let exchange = crate::openapi::Exchange::new(request, answer);
        self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(exchange);
    }
}
