//! Errors that travel: packed here, unpacked there, and passed on.

use super::*;

fn over_a_link(error: &Error, here: &ActorId) -> Error {
    let text = serde_json::to_string(&RemoteError::pack(error, here)).unwrap();
    serde_json::from_str::<RemoteError>(&text).unwrap().into()
}

#[test]
fn error_over_two_links_keeps_origin_text_causes_and_place() {
    let (leaf, mid) = (ActorId::new("leaf"), ActorId::new("mid"));
    let cause = std::io::Error::other("disk full");
    let error = Error::from(cause).context("cannot save");
    let place = error.location();
    let there = over_a_link(&error, &leaf);
    let here = over_a_link(&there, &mid);
    let remote = here.remote().unwrap();
    assert_eq!((remote.origin(), remote.relay()), (&leaf, &[mid][..]));
    assert_eq!(remote.message(), "cannot save");
    assert_eq!(remote.causes().collect::<Vec<_>>(), ["disk full"]);
    assert_eq!(here.location(), place);
    assert_eq!(here.kind(), ErrorKind::Remote);
    assert_eq!(here.to_string(), "actor `leaf` failed: cannot save");
}

#[test]
fn context_added_on_the_way_stands_above_what_came() {
    let (leaf, mid) = (ActorId::new("leaf"), ActorId::new("mid"));
    let there = over_a_link(&Error::other("boom"), &leaf).context("cannot resize");
    let here = over_a_link(&there, &mid);
    let text = format!("{here:?}");
    assert_eq!(
        text,
        "actor `leaf` failed: cannot resize\ncaused by: actor `leaf` failed: boom"
    );
}

#[test]
fn group_travels_as_a_group() {
    let here = ActorId::new("leaf");
    let group = Error::group(Error::other("first"), vec![Error::other("second")]);
    let error = over_a_link(&group, &here);
    let failures = error.remote().unwrap().failures();
    let texts: Vec<_> = failures.iter().map(RemoteError::message).collect();
    assert_eq!(texts, ["first", "second"]);
}

#[test]
fn group_that_is_passed_on_takes_the_way_of_its_failures_with_it() {
    let [leaf, mid, top] = ["leaf", "mid", "top"].map(ActorId::new);
    let group = Error::group(Error::other("first"), vec![Error::other("second")]);
    let there = over_a_link(&over_a_link(&group, &leaf), &mid);
    let here = over_a_link(&there, &top);
    let remote = here.remote().unwrap();
    assert_eq!(remote.relay(), [mid.clone(), top.clone()]);
    for failure in remote.failures() {
        assert_eq!(failure.relay(), [mid.clone(), top.clone()]);
    }
}

#[test]
fn groups_in_groups_end_in_text() {
    let here = ActorId::new("leaf");
    let nest = |inner: Error, _| Error::group(inner, vec![Error::other("other")]).context("up");
    let deep = (0..200).fold(Error::other("inmost"), nest);
    let error = over_a_link(&deep, &here);
    assert!(error.remote().is_some());
}

#[test]
fn cancelled_error_keeps_who_asked() {
    let (here, asker) = (ActorId::new("leaf"), ActorId::new("root"));
    let reason = CancelReason::new(crate::CancelOrigin::Actor(asker));
    let error = over_a_link(&Error::cancelled(reason.clone()), &here);
    assert!(error.is_cancelled());
    assert_eq!(error.cancel_reason(), Some(&reason));
}
