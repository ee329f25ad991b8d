//! Values of calls: those that travel, and those that cannot.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use treewright::{Function, open_nursery, run};

use crate::guard::guarded;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle { radius: f64 },
    Named(String, Vec<(i64, Option<char>)>),
}

#[treewright::task]
async fn turn_round(
    shapes: BTreeMap<u8, Shape>,
    wide: u64,
    text: String,
) -> (Vec<Shape>, u64, String) {
    (
        shapes.into_values().rev().collect(),
        wide,
        text.chars().rev().collect(),
    )
}

#[test]
fn values_come_back_as_they_were_however_large() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("mirror").await?;
                let named = Shape::Named("a\0ü".into(), vec![(i64::MIN, None), (3, Some('é'))]);
                let shapes = [Shape::Point, Shape::Circle { radius: -0.5 }, named];
                let numbered: BTreeMap<u8, Shape> = (0..).zip(shapes.clone()).collect();
                // Longer than one frame, and than what a socket holds.
                let long = "abc".repeat(1_000_000);
                let call = turn_round(numbered, u64::MAX, long);
                let (mut back, wide, long) = portal.run(call).await?;
                back.reverse();
                assert_eq!((back.as_slice(), wide), (&shapes[..], u64::MAX));
                assert!(long.len() == 3_000_000 && long.starts_with("cba"));
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// A value that can travel in one direction at most.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fragile {
    Whole,
    BreaksOnTheWayOut,
    BreaksOnTheWayIn,
}

impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole => 0.serialize(serializer),
            Self::BreaksOnTheWayOut => Err(serde::ser::Error::custom("it fell apart")),
            Self::BreaksOnTheWayIn => 2.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Whole),
            _ => Err(serde::de::Error::custom("it arrived in pieces")),
        }
    }
}

#[treewright::task]
async fn keep(_parcel: Fragile) {}

#[treewright::task]
async fn give(kind: u8) -> Fragile {
    [
        Fragile::Whole,
        Fragile::BreaksOnTheWayOut,
        Fragile::BreaksOnTheWayIn,
    ][usize::from(kind)]
}

/// tractor: test_do_not_swallow_error_before_started_by_remote_contextcancelled (what cannot
/// be encoded is told to the caller)
#[test]
fn value_that_cannot_travel_fails_its_call_and_says_where() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("post_office").await?;
                portal.run(keep(Fragile::Whole)).await?;
                assert_eq!(portal.run(give(0)).await?, Fragile::Whole);
                let keep_path = keep::PATH;
                let give_path = give::PATH;
                let cases = [
                    (
                        portal
                            .run(keep(Fragile::BreaksOnTheWayOut))
                            .await
                            .unwrap_err(),
                        format!("cannot send the arguments of task `{keep_path}`"),
                        "it fell apart",
                    ),
                    (
                        portal
                            .run(keep(Fragile::BreaksOnTheWayIn))
                            .await
                            .unwrap_err(),
                        format!("cannot read the arguments of task `{keep_path}`"),
                        "it arrived in pieces",
                    ),
                    (
                        portal.run(give(1)).await.unwrap_err(),
                        format!("cannot return the value of task `{give_path}`"),
                        "it fell apart",
                    ),
                    (
                        portal.run(give(2)).await.unwrap_err(),
                        format!(
                            "cannot read what task `{give_path}` of actor `post_office` returned"
                        ),
                        "it arrived in pieces",
                    ),
                ];
                for (error, text, cause) in cases {
                    assert!(error.to_string().ends_with(&text), "{error:?}");
                    assert!(format!("{error:?}").contains(cause), "{error:?}");
                }
                portal.run(keep(Fragile::Whole)).await?;
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[treewright::task]
async fn length(text: String) -> usize {
    text.len()
}

#[treewright::task]
async fn text_of(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn message_that_is_too_long_fails_its_call_and_leaves_the_link_as_it_was() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("small").await?;
                let too_long = 64 * 1024 * 1024 + 1;
                let error = portal.run(length("x".repeat(too_long))).await.unwrap_err();
                assert!(
                    format!("{error:?}").contains("67108864 at most"),
                    "{error:?}"
                );
                let error = portal.run(text_of(too_long)).await.unwrap_err();
                assert!(
                    format!("{error:?}").contains("67108864 at most"),
                    "{error:?}"
                );
                assert_eq!(portal.run(length("four".into())).await?, 4);
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}
