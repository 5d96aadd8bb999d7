//! What is read inline is what the pool reads.

use super::*;

#[tokio::test]
async fn a_step_that_the_cache_does_not_answer_is_made_in_the_pool() {
    let directory = tree();
    let expected = everything(&hooked(&root(&directory), Arc::new(Watcher::taken_for(NFS)))).await;
    let answers = answers_from_caches("that each step is made inline");
    for magic in [EXT4, TMPFS] {
        for refused in STEPS.map(Some).into_iter().chain([None]) {
            let watcher = Arc::new(Watcher { refused, ..Watcher::taken_for(magic) });
            let found = everything(&hooked(&root(&directory), watcher.clone())).await;
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "without {refused:?}");
            }
            assert_eq!(found.len(), expected.len());
            let reached = |step| watcher.steps.lock().unwrap().contains(&step);
            assert!(!answers || refused.is_none_or(reached), "{refused:?} is never made");
            assert!(watcher.jobs() > 0);
        }
    }
}

#[tokio::test]
async fn a_short_read_is_continued() {
    let directory = tree();
    let expected = everything(&plain(&root(&directory))).await;
    for most in [1, 1000, (256 << 10) - 1] {
        let watcher = Arc::new(Watcher { most: Some(most), ..Watcher::taken_for(TMPFS) });
        let storage = hooked(&root(&directory), watcher.clone());
        if most > 1 {
            assert_eq!(everything(&storage).await, expected);
        }
        storage.stat("/d/small").await.unwrap();
        let before = watcher.jobs();
        assert!(storage.get_content("/d/large").await.unwrap() == content(LARGE));
        // Once for the operation, not for each part of it.
        assert_eq!(watcher.jobs() - before, 1, "{most}");
    }
}

#[tokio::test]
async fn pipes_sockets_and_devices_block_nobody() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let directory = tree();
    let at = |name: &str| root(&directory).join("d").join(name);
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let mut names = vec!["pipe", "socket"];
    // The console of the system: only root may make it.
    match mknodat(CWD, at("device"), FileType::CharacterDevice, Mode::from_raw_mode(0o666), 0x0500) {
        Ok(()) => names.push("device"),
        Err(error) => println!("no device: {error}"),
    }
    for magic in [EXT4, TMPFS, NFS] {
        let storage = hooked(&root(&directory), Arc::new(Watcher::taken_for(magic)));
        for name in &names {
            let path = format!("/d/{name}");
            let tried = async {
                for _ in 0..3 {
                    let outcome = storage.get_content(&path).await.unwrap_err();
                    assert!(outcome.is_not_found() || *name == "device", "{outcome}");
                    let outcome = storage.reader(&path, ReadOptions::all()).await.unwrap_err();
                    assert!(outcome.is_not_found() || *name == "device", "{outcome}");
                    assert!(storage.stat(&path).await.unwrap_err().is_not_found());
                }
            };
            tokio::time::timeout(Duration::from_secs(30), tried).await.unwrap();
        }
        let listed = storage.list("/d").await.unwrap();
        assert!(listed.iter().all(|info| !names.contains(&info.path().name())));
    }
}

#[tokio::test]
async fn links_lead_inside_and_nowhere_else() {
    let directory = tree();
    let watcher = Arc::new(Watcher::taken_for(TMPFS));
    let storage = hooked(&root(&directory), watcher.clone());
    for _ in 0..3 {
        for path in ["/out", "/up/secret", "/up/root/d/small"] {
            for outcome in [
                storage.get_content(path).await.map(drop),
                storage.reader(path, ReadOptions::all()).await.map(drop),
                storage.stat(path).await.map(drop),
            ] {
                assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied, "{path}");
            }
        }
    }
    let inside = async || {
        for path in ["/d/link", "/way/small", "/way/link"] {
            assert!(storage.get_content(path).await.unwrap() == content(4096));
            assert_eq!(storage.stat(path).await.unwrap().size(), Some(4096));
        }
    };
    starts_no_job(&watcher, "a link inside", inside).await;
    // The root itself may be a link.
    let linked = directory.path().join("linked");
    symlink("root", &linked).unwrap();
    let watcher = Arc::new(Watcher::taken_for(TMPFS));
    let storage = hooked(&linked, watcher.clone());
    let read = async || {
        assert!(storage.get_content("/d/small").await.unwrap() == content(4096));
        assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(4096));
    };
    starts_no_job(&watcher, "a root that is a link", read).await;
    // And lead elsewhere at any time.
    let other = directory.path().join("other");
    std::fs::create_dir_all(other.join("d")).unwrap();
    std::fs::write(other.join("d/small"), "other").unwrap();
    std::fs::remove_file(&linked).unwrap();
    symlink("other", &linked).unwrap();
    assert_eq!(storage.get_content("/d/small").await.unwrap(), "other");
    assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(5));
}

#[tokio::test]
async fn the_root_is_looked_for_each_time() {
    let directory = tree();
    let path = root(&directory);
    let storage = hooked(&path, Arc::new(Watcher::taken_for(TMPFS)));
    let away = directory.path().join("away");
    let warm = async || {
        for _ in 0..3 {
            assert_eq!(storage.get_content("/d/small").await.unwrap().len(), 4096);
            assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(4096));
            assert_eq!(storage.list("/d").await.unwrap().len(), 5);
        }
    };
    for _ in 0..3 {
        warm().await;
        std::fs::rename(&path, &away).unwrap();
        assert!(storage.get_content("/d/small").await.unwrap_err().is_not_found());
        assert!(storage.stat("/d/small").await.unwrap_err().is_not_found());
        assert!(storage.list("/d").await.unwrap_err().is_not_found());
        assert!(storage.list("/").await.unwrap().is_empty());
        std::fs::write(&path, "a file").unwrap();
        for outcome in
            [storage.get_content("/d/small").await.map(drop), storage.stat("/d/small").await.map(drop)]
        {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Conflict);
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir_all(path.join("d")).unwrap();
        std::fs::write(path.join("d/small"), "new").unwrap();
        assert_eq!(storage.get_content("/d/small").await.unwrap(), "new");
        assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(3));
        assert_eq!(storage.list("/d").await.unwrap().len(), 1);
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::rename(&away, &path).unwrap();
    }
}

#[tokio::test]
async fn content_that_is_cut_while_it_is_read_is_corrupted() {
    let directory = tree();
    let large = root(&directory).join("d/large");
    let cut = large.clone();
    let cutting = Watcher {
        before_read: Some(Box::new(move || truncate(&cut, 100 << 10))),
        ..Watcher::taken_for(TMPFS)
    };
    let storage = hooked(&root(&directory), Arc::new(cutting));
    if answers_from_caches("content that is cut before it is read inline") {
        let mut failed = None;
        for _ in 0..50 {
            std::fs::write(&large, content(LARGE)).unwrap();
            storage.stat("/d/large").await.unwrap();
            match storage.get_content("/d/large").await {
                // The lookup was not answered from the cache, and the pool read.
                Ok(whole) => assert!(whole == content(LARGE)),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let error = failed.expect("a read that is inline and cut");
        assert_eq!(error.kind(), ErrorKind::Corrupted);
        assert!(error.to_string().contains("cut to 102400 bytes"), "{error}");
    }
    let storage = hooked(&root(&directory), Arc::new(Watcher::taken_for(TMPFS)));
    std::fs::write(&large, content(LARGE)).unwrap();
    let mut reading = storage.reader("/d/large", ReadOptions::all()).await.unwrap();
    let mut read = reading.next().await.unwrap().unwrap().to_vec();
    truncate(&large, 300 << 10);
    let error = loop {
        match reading.next().await.unwrap() {
            Ok(piece) => read.extend_from_slice(&piece),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Corrupted);
    assert!(read == content(300 << 10));
}
