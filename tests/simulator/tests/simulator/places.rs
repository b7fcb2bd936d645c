//! Where new comments may stand.

use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use crate::client::{get, write};
use crate::demo;

const COMMENTS: &str = "…/pullrequests/4/comments";

async fn place(simulator: &Simulator, comments: &str, inline: Value) -> (u16, Value) {
    let reply =
        write(simulator, 0, "POST", comments, json!({"content": {"raw": "x"}, "inline": inline})).await;
    let body = reply.json();
    (reply.status, if reply.status == 201 { body["inline"].clone() } else { body["error"]["fields"].clone() })
}

#[tokio::test]
async fn lines_are_held_against_the_files() {
    let simulator = demo().await;
    let lines = |path: &str| {
        let target = format!("…/src/discounts/{path}");
        let simulator = &simulator;
        async move { get(simulator, &target).await.text().lines().count() }
    };
    let (cart, readme) = (lines("till/cart.py").await, lines("README.md").await);
    assert!(cart > 31);
    let good = [
        json!({"path": "till/cart.py"}),
        json!({"path": "till/cart.py", "from": null, "to": cart}),
        json!({"path": "README.md", "to": readme}),
        json!({"path": "till/receipt.py", "from": 15}),
        json!({"path": "till/receipt.py", "from": 5, "to": 5}),
        json!({"path": "till/receipt.py", "start_from": 13, "from": 15}),
        json!({"path": "till/cart.py", "start_to": 2, "to": 31}),
        json!({"path": "till/cart.py", "start_to": 4, "to": 4}),
    ];
    for inline in good {
        let (status, answered) = place(&simulator, COMMENTS, inline.clone()).await;
        assert_eq!(status, 201, "{inline}: {answered}");
        for (member, value) in inline.as_object().unwrap() {
            assert_eq!(&answered[member], value, "{inline}");
        }
    }
    let bad = [
        (json!({}), "inline.path"),
        (json!("till/cart.py"), "inline.path"),
        (json!({"path": "till/absent.py"}), "inline.path"),
        (json!({"path": "till"}), "inline.path"),
        (json!({"path": "till/absent.py", "to": 1}), "inline.to"),
        (json!({"path": "till/cart.py", "to": cart + 1}), "inline.to"),
        (json!({"path": "till/cart.py", "to": 0}), "inline.to"),
        (json!({"path": "till/cart.py", "to": "4"}), "inline.to"),
        (json!({"path": "till/cart.py", "to": -4}), "inline.to"),
        (json!({"path": "till/discounts.py", "from": 1}), "inline.from"),
        (json!({"path": "till/receipt.py", "from": 999}), "inline.from"),
        (json!({"path": "till/receipt.py", "from": 999, "to": 1}), "inline.from"),
        (json!({"path": "till/cart.py", "start_to": 1, "to": 31}), "inline.start_to"),
        (json!({"path": "till/cart.py", "start_to": 5, "to": 4}), "inline.start_to"),
        (json!({"path": "till/cart.py", "start_to": 5}), "inline.start_to"),
        (json!({"path": "till/receipt.py", "start_from": 9, "from": 8}), "inline.start_from"),
    ];
    let before = simulator.pull_request("corner-shop/till", 4).comments().unwrap();
    for (inline, field) in bad {
        let (status, fields) = place(&simulator, COMMENTS, inline.clone()).await;
        assert_eq!((status, fields.get(field).is_some()), (400, true), "{inline}: {fields}");
    }
    assert_eq!(simulator.pull_request("corner-shop/till", 4).comments().unwrap(), before);
}

#[tokio::test]
async fn comments_stand_on_the_head_of_the_moment() {
    let simulator = demo().await;
    let inline = json!({"path": "till/more.py", "to": 2});
    assert_eq!(place(&simulator, COMMENTS, inline.clone()).await.0, 400);
    let pushed = simulator
        .repository("corner-shop/till")
        .push_commit("discounts", "More", &[("till/more.py", Some("one\ntwo\n"))])
        .unwrap();
    let (status, answered) = place(&simulator, COMMENTS, inline).await;
    assert_eq!((status, answered["src_rev"].as_str()), (201, Some(&pushed[..12])));
    let written = simulator.pull_request("corner-shop/till", 4).comments().unwrap();
    assert_eq!(written.last().unwrap().inline.as_ref().unwrap().source, pushed);
}

#[tokio::test]
async fn the_old_side_is_the_merge_base_under_the_new_name_even_from_a_fork() {
    let scenario = "
        user = [{ id = 'ana', name = 'Ana' }]
        [[repository]]
        name = 'a/b'
        commit = [
            { id = 'start', branch = 'main', message = 'one', write = { 'old name' = \"1\\n2\\n3\\n4\\n\", gone = 'x' } },
            { branch = 'main', message = 'later', write = { 'old name' = '1' } },
        ]
        [[repository]]
        name = 'c/b'
        fork_of = 'a/b'
        commit = [
            { branch = 'x', from = 'start', message = 'two', rename = { 'old name' = 'new name' }, delete = ['gone'], edit = { 'new name' = [['4', '5']] } },
        ]
        [[pull_request]]
        repository = 'a/b'
        title = 'from a fork'
        author = 'ana'
        source = 'x'
        source_repository = 'c/b'
    ";
    let simulator = Simulator::start(Scenario::parse(scenario).unwrap()).await.unwrap();
    let comments = "/2.0/repositories/a/b/pullrequests/1/comments";
    let cases = [
        (json!({"path": "new name", "from": 4}), 201),
        (json!({"path": "new name", "from": 5}), 400),
        (json!({"path": "new name", "to": 4}), 201),
        (json!({"path": "gone", "from": 1}), 201),
        (json!({"path": "gone"}), 201),
        (json!({"path": "gone", "to": 1}), 400),
        (json!({"path": "never"}), 400),
    ];
    for (inline, status) in cases {
        assert_eq!(place(&simulator, comments, inline.clone()).await.0, status, "{inline}");
    }
}
