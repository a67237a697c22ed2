//! Same input, same output, whatever a guest looks at.

use cambist_contract::{
    fault::Fault,
    limits::Limits,
    plugin::{CallError, Plugin},
};

use crate::host::{Host, judge};

fn seen(plugin: &dyn Plugin) -> String {
    match judge(plugin).answer {
        Err(CallError::Fault(Fault::Broken(text))) => text,
        other => format!("{other:?}"),
    }
}

#[test]
fn a_guest_that_looks_around_sees_the_same_every_time() {
    let host = Host::new();
    let plugin = host.guest("looks-around", Limits::default());
    let first = seen(&*plugin);
    assert_eq!(first.len(), 16, "{first}");
    for _ in 0..50 {
        assert_eq!(seen(&*plugin), first);
    }
    // nor does it see what others have left where it runs now
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(seen(&*plugin), first));
        }
    });
    // nor which host it runs in
    assert_eq!(
        seen(&*Host::new().guest("looks-around", Limits::default())),
        first
    );
}
