//! Users and groups in the databases of the C library.

use std::ffi::{CStr, CString};
use std::{io, mem, ptr};

use libc::{c_char, c_int};

/// The uid and primary gid of the user called `name`.
pub(in crate::process) fn find_user(name: &CStr) -> io::Result<Option<(u32, u32)>> {
    let mut entry = mem::MaybeUninit::<libc::passwd>::uninit();
    // SAFETY: the entry is read only when the call says that it found one.
    look_up(|buffer, size, found| unsafe {
        libc::getpwnam_r(name.as_ptr(), entry.as_mut_ptr(), buffer, size, found)
    })
    .map(|is_found| {
        // SAFETY: the entry was written; its numbers do not point into the buffer.
        is_found.then(|| unsafe {
            let entry = entry.assume_init_ref();
            (entry.pw_uid, entry.pw_gid)
        })
    })
}

/// The name and primary gid of the user with this number.
pub(in crate::process) fn find_user_by_id(uid: u32) -> io::Result<Option<(CString, u32)>> {
    let mut entry = mem::MaybeUninit::<libc::passwd>::uninit();
    let mut name = None;
    look_up(|buffer, size, found| {
        // SAFETY: the entry and the strings in the buffer are read only when found, while
        // the buffer is there.
        unsafe {
            let result = libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer, size, found);
            if result == 0 && !(*found).is_null() {
                let entry = entry.assume_init_ref();
                name = Some((CStr::from_ptr(entry.pw_name).to_owned(), entry.pw_gid));
            }
            result
        }
    })?;
    Ok(name)
}

/// The gid of the group called `name`.
pub(in crate::process) fn find_group(name: &CStr) -> io::Result<Option<u32>> {
    let mut entry = mem::MaybeUninit::<libc::group>::uninit();
    // SAFETY: the entry is read only when the call says that it found one.
    look_up(|buffer, size, found| unsafe {
        libc::getgrnam_r(name.as_ptr(), entry.as_mut_ptr(), buffer, size, found)
    })
    // SAFETY: the entry was written; its number does not point into the buffer.
    .map(|is_found| is_found.then(|| unsafe { entry.assume_init_ref().gr_gid }))
}

/// Calls one of the `get…_r` functions with a buffer that is big enough.
fn look_up<T>(mut ask: impl FnMut(*mut c_char, usize, *mut *mut T) -> c_int) -> io::Result<bool> {
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        let mut found = ptr::null_mut();
        match ask(buffer.as_mut_ptr(), buffer.len(), &mut found) {
            0 => return Ok(!found.is_null()),
            libc::ERANGE if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 2, 0),
            libc::EINTR => {}
            // The manual page lists these as ways to say that there is no such entry.
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(false),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// Every group the user is in, `gid` among them.
pub(in crate::process) fn groups_of(user: &CStr, gid: u32) -> Vec<u32> {
    let mut groups = vec![0; 64];
    loop {
        let mut count = groups.len() as c_int;
        // SAFETY: the list is as long as `count` says.
        let result =
            unsafe { libc::getgrouplist(user.as_ptr(), gid, groups.as_mut_ptr(), &mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if result >= 0 || count <= groups.len() {
            groups.truncate(count);
            return groups;
        }
        groups.resize(count, 0);
    }
}
