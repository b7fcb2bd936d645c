//! Routes, shapes, filters, pages and refusals.

use serde_json::{Value, json};
use simulator::{Account, Comment, MARKER, Scenario, Simulator};

use crate::client::{get, send};
use crate::demo;

const LIST: &str = "…/pullrequests";

#[tokio::test]
async fn the_user_and_the_repository_are_found() {
    let simulator = demo().await;
    let user = get(&simulator, "/2.0/user").await;
    assert_eq!(user.json()["display_name"], "Ana Ruiz");
    assert_eq!(user.header("x-oauth-scopes"), Some("account, pullrequest"));
    assert_eq!(user.header("x-accepted-oauth-scopes"), Some("account"));
    let repository = get(&simulator, "…").await.json();
    assert_eq!(repository["mainbranch"]["name"], "main");
    assert_eq!(repository["links"]["clone"][0]["href"], simulator.remote_url("corner-shop/till"));
    assert_eq!(get(&simulator, "/2.0/repositories/Corner-Shop/TILL").await.status, 200);
    assert_eq!(get(&simulator, "/2.0/repositories/corner-shop/other").await.status, 404);
}

#[tokio::test]
async fn the_list_leaves_out_what_bitbucket_leaves_out() {
    let simulator = demo().await;
    let page = get(&simulator, LIST).await.json();
    let pull_request = &page["values"][0];
    for absent in ["participants", "reviewers", "rendered"] {
        assert!(pull_request.get(absent).is_none(), "{absent}");
    }
    assert_eq!(pull_request["source"]["commit"]["hash"].as_str().unwrap().len(), 12);
    assert_eq!(pull_request["comment_count"], 15);
    assert_eq!(pull_request["task_count"], 1);
    let asked = get(&simulator, "…/pullrequests?fields=%2Bvalues.participants").await.json();
    let participants = asked["values"][0]["participants"].as_array().unwrap();
    let states: Vec<&Value> = participants.iter().map(|one| &one["state"]).collect();
    assert_eq!(states, [&json!("approved"), &json!("changes_requested"), &Value::Null]);
    let alone = get(&simulator, "…/pullrequests/4").await.json();
    assert_eq!(alone["reviewers"][0]["display_name"], "Ben Okafor");
    let probe =
        get(&simulator, "…/pullrequests/4?fields=updated_on,source.commit.hash,comment_count").await.json();
    assert_eq!(probe.as_object().unwrap().len(), 3);
    assert_eq!(probe["source"], json!({"commit": {"hash": pull_request["source"]["commit"]["hash"]}}));
}

#[tokio::test]
async fn filters_states_and_sorting_choose() {
    let scenario = "
        user = [{ id = 'ana', name = 'Ana' }]
        [[repository]]
        name = 'a/b'
        commit = [
            { branch = 'main', message = 'one', write = { f = '1' } },
            { branch = 'x', from = 'main', message = 'two', write = { f = '2' } },
            { branch = 'y', from = 'main', message = 'three', write = { f = '3' } },
        ]
        [[pull_request]]
        title = 'first'
        author = 'ana'
        source = 'x'
        state = 'MERGED'
        [[pull_request]]
        title = 'second'
        author = 'ana'
        source = 'x'
        [[pull_request]]
        title = 'third'
        author = 'ana'
        source = 'y'
    ";
    let mut simulator = Simulator::start(Scenario::parse(scenario).unwrap()).await.unwrap();
    simulator.check_against_openapi();
    let cases = [
        ("", vec!["third", "second"]),
        ("sort=id", vec!["second", "third"]),
        ("state=MERGED&state=OPEN&sort=id", vec!["first", "second", "third"]),
        ("q=source.branch.name%3D%22x%22", vec!["second"]),
        ("q=source.branch.name%3D%22x%22+AND+state+IN+(%22MERGED%22,%22OPEN%22)", vec!["second", "first"]),
        ("q=source.repository.full_name%3D%22a/b%22+AND+id%3E2", vec!["third"]),
        ("q=id%3D99", vec![]),
    ];
    for (query, titles) in cases {
        let page = get(&simulator, &format!("/2.0/repositories/a/b/pullrequests?{query}")).await.json();
        let found: Vec<&str> =
            page["values"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
        assert_eq!(found, titles, "{query}");
    }
    for nonsense in
        ["q=banana%3D1", "q=id%3D", "sort=banana", "state=DRAFT", "pagelen=100", "pagelen=0", "page=x"]
    {
        let reply = get(&simulator, &format!("/2.0/repositories/a/b/pullrequests?{nonsense}")).await;
        assert_eq!((reply.status, &reply.json()["type"]), (400, &json!("error")), "{nonsense}");
    }
    let refusal = get(&simulator, "/2.0/repositories/a/b/pullrequests?pagelen=51").await.json();
    assert_eq!(refusal, json!({"type": "error", "error": {"message": "Invalid pagelen"}}));
}

#[tokio::test]
async fn pages_hold_each_comment_once() {
    let mut scenario = Scenario::demo();
    let many = (0..20_000).map(|number| Comment {
        author: "ben".into(),
        text: format!("number {number}"),
        file: Some("till/cart.py".into()),
        lines: Some([1, 1]),
        ..Comment::default()
    });
    scenario.pull_requests[0].comments = many.collect();
    scenario.pull_requests[0].tasks.clear();
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    let mut next = Some("…/pullrequests/4/comments?pagelen=100&fields=next,size,values.id".to_owned());
    let mut ids = Vec::new();
    while let Some(target) = next {
        let page = get(&simulator, &target).await.json();
        assert_eq!(page["size"], 20_000);
        ids.extend(page["values"].as_array().unwrap().iter().map(|comment| comment["id"].as_u64().unwrap()));
        next = page["next"].as_str().map(str::to_owned);
        assert!(
            next.iter().all(|next| next.starts_with(&simulator.api_url()) && next.contains("fields=next%2C"))
        );
    }
    assert_eq!(ids.len(), 20_000);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(get(&simulator, "…/pullrequests/4/comments?pagelen=100&page=201").await.status, 404);
    assert_eq!(get(&simulator, "…/pullrequests/4/comments?pagelen=101").await.status, 400);
}

#[tokio::test]
async fn files_diffs_and_commits_come_from_git() {
    let simulator = demo().await;
    let head = simulator.repository("corner-shop/till").commit("discounts").unwrap();
    let first = simulator.repository("corner-shop/till").commit("discounts-first").unwrap();
    let file = get(&simulator, &format!("…/src/{}/till/money.py", &head[..12])).await;
    assert!(file.text().starts_with("\"\"\"Amounts of money"));
    assert_eq!(file.header("content-type"), Some("text/plain"));
    let missing = get(&simulator, &format!("…/src/{head}/nowhere.py")).await;
    assert_eq!(
        (missing.status, missing.json()["error"]["message"].as_str()),
        (404, Some("No such file or directory: nowhere.py"))
    );
    assert_eq!(get(&simulator, "…/src/0123456789ab/till/money.py").await.status, 404);
    assert_eq!(get(&simulator, "…/src/--help/till/money.py").await.status, 404);
    let folder = get(&simulator, &format!("…/src/{head}/till")).await.json();
    assert_eq!(folder["values"].as_array().unwrap().len(), 4);
    let meta = get(&simulator, &format!("…/src/{head}/till/cart.py?format=meta")).await.json();
    assert_eq!(meta["type"], "commit_file");

    let redirect = get(&simulator, "…/pullrequests/4/diff").await;
    assert_eq!(redirect.status, 302);
    let target = redirect.header("location").unwrap().to_owned();
    assert!(target.contains("%0D"), "{target}");
    let diff = get(&simulator, &target).await.text();
    assert!(
        diff.contains("-    lines.append(line(\"TOTAL\"")
            && diff.contains("+    lines.append(line(\"To pay\""),
        "{diff}"
    );
    let one = get(&simulator, &format!("…/diff/{first}..main?path=till/discounts.py")).await.text();
    assert_eq!(one.matches("diff --git").count(), 1);
    assert!(one.contains("+        return self.amount"), "{one}");
    // The other way round than in git: the newer end comes first.
    let back =
        get(&simulator, &format!("…/diff/{first}..{head}?topic=false&path=till/discounts.py")).await.text();
    assert!(back.contains("+        return self.amount"), "{back}");
    let stat = get(&simulator, &format!("…/diffstat/{head}..main")).await.json();
    let added = stat["values"].as_array().unwrap().iter().find(|one| one["status"] == "added").unwrap();
    assert_eq!((&added["old"], &added["new"]["path"]), (&Value::Null, &json!("till/discounts.py")));

    let base = get(&simulator, "…/merge-base/discounts..main").await.json();
    assert_eq!(base["hash"], simulator.repository("corner-shop/till").commit("start").unwrap());
    let commit = get(&simulator, &format!("…/commit/{}", &head[..7])).await.json();
    assert_eq!((&commit["hash"], &commit["author"]["user"]["nickname"]), (&json!(head), &json!("ana")));
    let page = get(&simulator, "…/commits/discounts?pagelen=2").await.json();
    let last = get(&simulator, page["next"].as_str().unwrap()).await.json();
    assert_eq!((last["values"].as_array().unwrap().len(), last.get("next")), (1, None));
    assert_eq!(get(&simulator, "…/pullrequests/4/commits").await.json()["size"], 2);
    assert_eq!(
        get(&simulator, "…/refs/branches?q=name~%22disc%22").await.json()["values"][0]["name"],
        "discounts"
    );
    assert_eq!(
        get(&simulator, "…/refs/branches/main").await.json()["target"]["message"],
        "A till that adds up\n"
    );
    let builds = get(&simulator, "…/pullrequests/4/statuses").await.json();
    assert_eq!(builds["values"][1]["state"], "FAILED");
    assert_eq!(get(&simulator, &format!("…/commit/{head}/statuses")).await.json()["size"], 2);
    assert_eq!(get(&simulator, "…/pullrequests/4/activity?pagelen=50").await.json()["size"], 18);
    assert_eq!(get(&simulator, "…/pullrequests/activity").await.status, 200);
}

#[tokio::test]
async fn renames_and_forks_are_seen() {
    let scenario = "
        user = [{ id = 'ana', name = 'Ana' }]
        [[repository]]
        name = 'a/b'
        commit = [{ branch = 'main', message = 'one', write = { 'old name' = \"1\\n2\\n3\\n4\\n\", gone = 'x' } }]
        [[repository]]
        name = 'c/b'
        fork_of = 'a/b'
        commit = [
            { id = 'moved', branch = 'x', from = 'main', message = 'two', rename = { 'old name' = 'new name' }, delete = ['gone'], edit = { 'new name' = [['4', '5']] } },
        ]
        [[pull_request]]
        repository = 'a/b'
        title = 'from a fork'
        author = 'ana'
        source = 'x'
        source_repository = 'c/b'
    ";
    let mut simulator = Simulator::start(Scenario::parse(scenario).unwrap()).await.unwrap();
    simulator.check_against_openapi();
    let pull_request = get(&simulator, "/2.0/repositories/a/b/pullrequests/1").await.json();
    assert_eq!(pull_request["source"]["repository"]["full_name"], "c/b");
    let location = get(&simulator, "/2.0/repositories/a/b/pullrequests/1/diffstat").await;
    let stat = get(&simulator, location.header("location").unwrap()).await.json();
    let seen: Vec<_> =
        stat["values"].as_array().unwrap().iter().map(|one| (&one["status"], &one["lines_added"])).collect();
    assert_eq!(seen, [(&json!("removed"), &json!(0)), (&json!("renamed"), &json!(1))]);
    simulator.repository("c/b").delete().unwrap();
    let pull_request = get(&simulator, "/2.0/repositories/a/b/pullrequests/1").await.json();
    assert_eq!(pull_request["source"]["repository"], Value::Null);
    assert_eq!(get(&simulator, "/2.0/repositories/c/b").await.status, 404);
    assert_eq!(get(&simulator, "/2.0/repositories/a/b/pullrequests/1/commits").await.status, 404);
}

#[tokio::test]
async fn what_bitbucket_refuses_is_refused() {
    let mut scenario = Scenario::demo();
    let account = |user: &str, token: &str| Account {
        user: user.into(),
        token: format!("{token}-{MARKER}"),
        ..Account::default()
    };
    scenario.accounts = vec![
        account("ana", "good"),
        Account { scopes: Some(vec!["account".into()]), ..account("ana", "narrow") },
        Account { expired: true, ..account("ana", "old") },
        Account { email: Some("ana@shop.test".into()), ..account("ana", "api") },
        account("ben", "stranger"),
    ];
    scenario.repositories[0].visible_to = Some(vec!["ana".into()]);
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    let target = "/2.0/repositories/corner-shop/till/pullrequests";
    let ask = async |authorization: String| {
        send(&simulator, "GET", target, Some(&authorization), "").await.unwrap()
    };
    let bearer = async |token: &str| ask(format!("Bearer {token}-{MARKER}")).await;
    assert_eq!(bearer("good").await.status, 200);
    // `ana@shop.test:api-` and the marker.
    assert_eq!(ask("Basic YW5hQHNob3AudGVzdDphcGktYzRuNHJ5VDBrM24=".into()).await.status, 200);
    assert_eq!(bearer("api").await.status, 401);
    assert_eq!(bearer("wrong").await.status, 401);
    assert!(bearer("old").await.text().contains("Access token expired"));
    assert_eq!(bearer("stranger").await.status, 404);
    let narrow = bearer("narrow").await;
    let detail = json!({"required": ["pullrequest"], "granted": ["account"]});
    assert_eq!((narrow.status, &narrow.json()["error"]["detail"]), (403, &detail));
    assert_eq!(send(&simulator, "GET", target, None, "").await.unwrap().status, 401);

    let missing = get(&simulator, "…/pullrequests/99").await;
    assert_eq!((missing.status, missing.text().as_str()), (404, "Not Found"));
    assert_eq!(missing.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(get(&simulator, "…/pullrequests/4/comments/12345").await.json()["error"]["message"], "12345");
    for removed in ["/2.0/repositories", "/2.0/workspaces?pagelen=10", "/2.0/user/permissions/workspaces"] {
        let reply = get(&simulator, removed).await;
        assert_eq!(reply.status, 410);
        assert!(reply.text().contains("CHANGE-2770"));
    }
}

#[tokio::test]
async fn public_repositories_answer_everybody_if_the_scenario_says_so() {
    let mut scenario = Scenario::demo();
    scenario.repositories[0].public = true;
    scenario.anonymous = true;
    let simulator = Simulator::start(scenario).await.unwrap();
    let target = "/2.0/repositories/corner-shop/till/pullrequests/4";
    assert_eq!(send(&simulator, "GET", target, None, "").await.unwrap().status, 200);
    assert_eq!(send(&simulator, "GET", "/2.0/user", None, "").await.unwrap().status, 401);
}

#[tokio::test]
async fn unknown_routes_are_remembered() {
    let simulator = Simulator::start(Scenario::demo()).await.unwrap();
    assert_eq!(get(&simulator, "…/pullrequests/4/patch").await.status, 404);
    assert_eq!(get(&simulator, "/2.0/user").await.status, 200);
    let unexpected: Vec<String> = simulator.unexpected().iter().map(|request| request.target()).collect();
    assert_eq!(unexpected, ["/2.0/repositories/corner-shop/till/pullrequests/4/patch"]);
    assert_eq!(simulator.violations().len(), 1);
    let log = simulator.requests();
    assert!(log.iter().all(|request| request.authorized && request.finished.is_some()));
    assert!(log.iter().all(|request| simulator.web_url().ends_with(&request.host)));
}
