//! Users and groups by name or number.

use std::ffi::CString;
use std::io;

use treewright_supervisors::spec::Identity;

use super::SpawnError;
use super::unix::{self, Credentials};

/// The numbers behind the names; none when neither user nor group is given.
///
/// A user's supplementary groups are those the user database lists. A bare number that is
/// no known user has its group's number only.
pub(super) fn resolve(identity: &Identity) -> Result<Option<Credentials>, SpawnError> {
    let group = identity.group.as_deref().map(group).transpose()?;
    let Some(name) = identity.user.as_deref() else {
        return Ok(group.map(|gid| Credentials {
            uid: rustix::process::getuid().as_raw(),
            gid,
            groups: vec![gid],
        }));
    };
    let unknown = || SpawnError::UnknownUser {
        name: name.to_owned(),
    };
    let user = user(name).map_err(|_| unknown())?;
    let gid = match (group, &user) {
        (Some(gid), _) => gid,
        (None, User::Known { gid, .. }) => *gid,
        (None, User::Number(uid)) => *uid,
    };
    Ok(Some(match user {
        User::Known { name, uid, .. } => Credentials {
            uid,
            gid,
            groups: unix::groups_of(&name, gid),
        },
        User::Number(uid) => Credentials {
            uid,
            gid,
            groups: vec![gid],
        },
    }))
}

enum User {
    Known { name: CString, uid: u32, gid: u32 },
    Number(u32),
}

fn user(name: &str) -> io::Result<User> {
    let text = CString::new(name)?;
    if let Some((uid, gid)) = unix::find_user(&text)? {
        return Ok(User::Known {
            name: text,
            uid,
            gid,
        });
    }
    let uid = number(name).ok_or(io::ErrorKind::NotFound)?;
    Ok(match unix::find_user_by_id(uid)? {
        Some((name, gid)) => User::Known { name, uid, gid },
        None => User::Number(uid),
    })
}

fn group(name: &str) -> Result<u32, SpawnError> {
    let by_name = CString::new(name).ok().and_then(|text| {
        // A database that cannot be read has no such group, as far as we can know.
        unix::find_group(&text).ok().flatten()
    });
    by_name
        .or_else(|| number(name))
        .ok_or_else(|| SpawnError::UnknownGroup {
            name: name.to_owned(),
        })
}

/// A user or group number; the highest one means "no change" to the kernel.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(user: Option<&str>, group: Option<&str>) -> Result<Option<Credentials>, String> {
        resolve(&Identity {
            user: user.map(str::to_owned),
            group: group.map(str::to_owned),
            ..Identity::default()
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn root_is_found_by_name_and_by_number() {
        let by_name = credentials(Some("root"), None).unwrap().unwrap();
        let by_number = credentials(Some("0"), None).unwrap().unwrap();
        assert_eq!((by_name.uid, by_name.gid), (0, 0));
        assert_eq!(by_name, by_number);
    }

    #[test]
    fn number_nobody_has_is_taken_as_it_is() {
        let credentials = credentials(Some("54321"), None).unwrap().unwrap();
        assert_eq!(
            (credentials.uid, credentials.gid, credentials.groups),
            (54321, 54321, vec![54321])
        );
    }

    #[test]
    fn unknown_names_are_named() {
        assert_eq!(
            credentials(Some("nobody-at-all"), None),
            Err("cannot find user `nobody-at-all`".to_owned())
        );
        assert_eq!(
            credentials(None, Some("no-group")),
            Err("cannot find group `no-group`".to_owned())
        );
        assert!(credentials(Some("4294967295"), None).is_err());
    }
}
