//! Random trees and histories on the `supervisor` of real Erlang/OTP and on our machines: the same
//! starts and stops in the same order, the same answers, the same children left, the same end.

mod answers;
mod case;
mod compared;
mod coverage;
mod erlang;
mod generate;
mod lower;
mod machine;
mod perform;
mod specs;
