//! Which reads start jobs of the pool, what waits for them, and how long a read keeps its thread.

use super::*;

#[tokio::test]
async fn what_is_cached_starts_no_job() {
    for directory in [crate::tests::directory(), tempfile::tempdir().unwrap()] {
        let way = Sys::default().way(std::fs::File::open(directory.path()).unwrap()).unwrap();
        let watcher = Arc::new(Watcher::default());
        let storage = hooked(directory.path(), watcher.clone());
        storage.put_content("/d/small", content(4096)).await.unwrap();
        storage.put_content("/d/large", content(LARGE)).await.unwrap();
        storage.stat("/d/none").await.unwrap_err();
        let operate = async || {
            for _ in 0..20 {
                assert!(storage.get_content("/d/small").await.unwrap() == content(4096));
                assert!(storage.get_content("/d/large").await.unwrap() == content(LARGE));
                assert!(
                    whole(&storage, "/d/large", ReadOptions::from_offset(1)).await.unwrap().len()
                        == LARGE - 1
                );
                assert_eq!(storage.stat("/d/small").await.unwrap().size(), Some(4096));
                assert!(storage.stat("/d").await.unwrap().is_dir());
                assert!(storage.get_content("/d/none").await.unwrap_err().is_not_found());
                assert!(storage.stat("/d/none").await.unwrap_err().is_not_found());
            }
        };
        let before = watcher.jobs();
        match way {
            // Neither NFS nor an overlay, of which a build machine may be made.
            Way::Patient => {
                println!("{:?} is not on a local file system that is known", directory.path());
                operate().await;
                assert!(watcher.jobs() - before >= 20 * 7);
            }
            way => {
                starts_no_job(&watcher, "a cached read", operate).await;
                if way == Way::Memory {
                    let listed = async || assert_eq!(storage.list("/d").await.unwrap().len(), 2);
                    starts_no_job(&watcher, "a list in memory", listed).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_tried_on_a_file_system_that_is_not_known_to_be_local() {
    let directory = tree();
    let watcher = Arc::new(Watcher::taken_for(NFS));
    let storage = hooked(&root(&directory), watcher.clone());
    for done in 1..=10 {
        storage.get_content("/d/small").await.unwrap();
        storage.stat("/d/small").await.unwrap();
        storage.stat("/none").await.unwrap_err();
        storage.list("/d").await.unwrap();
        // The first piece with its opening, one for the rest, and one to close.
        assert_eq!(whole(&storage, "/d/large", ReadOptions::all()).await.unwrap().len(), LARGE);
        assert_eq!(watcher.jobs(), done * 7);
    }
    let steps = watcher.steps.lock().unwrap();
    assert!(steps.iter().all(|step| matches!(step, Quick::Root | Quick::Identity)), "{steps:?}");
}

#[tokio::test]
async fn a_file_that_was_deleted_meanwhile_is_closed_in_the_pool() {
    let directory = tree();
    let watcher = Arc::new(Watcher::taken_for(TMPFS));
    let storage = hooked(&root(&directory), watcher.clone());
    let kept = async || drop(storage.reader("/d/large", ReadOptions::all()).await.unwrap());
    starts_no_job(&watcher, "closing a file that is there", kept).await;
    let reading = storage.reader("/d/large", ReadOptions::all()).await.unwrap();
    std::fs::remove_file(root(&directory).join("d/large")).unwrap();
    let before = watcher.jobs();
    drop(reading);
    assert_eq!(watcher.jobs() - before, 1);
}

/// Reading is not quicker than a job that nobody waits for and that is past its publishing step.
#[tokio::test]
async fn what_publishes_is_waited_for() {
    let directory = tree();
    let parameters = FilesystemParameters::new(root(&directory));
    let driver = Filesystem::with_sys(&parameters, Sys::hooked(Arc::new(Watcher::taken_for(TMPFS)))).unwrap();
    let path = StoragePath::parse("/d/small").unwrap();
    driver.stat(&path).await.unwrap();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let (held, to) = (path.clone(), root(&directory).join("d/small"));
    let publishing = run(&driver.holds, &path, move |ticket| {
        let _section = ticket.section(vec![Hold::Path(held)])?;
        let _ = tell.send(());
        let _ = gate.recv();
        std::fs::write(to, "published").unwrap();
        Ok(())
    });
    let mut publishing = Box::pin(publishing);
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut publishing).await.is_err());
    told.recv().unwrap();
    drop(publishing);
    // Elsewhere nobody waits.
    driver.get_content(&StoragePath::parse("/d/large").unwrap()).await.unwrap();
    let mut reading = Box::pin(async {
        let read = driver.get_content(&path).await.unwrap();
        (read, driver.stat(&path).await.unwrap().size())
    });
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut reading).await.is_err());
    go.send(()).unwrap();
    let (read, size) = reading.await;
    assert_eq!((&*read, size), (&b"published"[..], Some(9)));
}

/// A task that reads what is cached, without end, lets the others of its thread run.
#[tokio::test(flavor = "current_thread")]
async fn one_who_reads_does_not_keep_the_thread() {
    let directory = tree();
    let large = root(&directory).join("d/large");
    truncate(&large, 64 << 20);
    let storage = hooked(&root(&directory), Arc::new(Watcher::taken_for(TMPFS)));
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    storage.stat("/d/large").await.unwrap();
    let least = |since: usize, turns: usize| assert!(turns - since >= 20, "{} turns", turns - since);
    let since = turns.load(Ordering::SeqCst);
    assert_eq!(whole(&storage, "/d/large", ReadOptions::all()).await.unwrap().len(), 64 << 20);
    least(since, turns.load(Ordering::SeqCst));
    let since = turns.load(Ordering::SeqCst);
    assert_eq!(storage.get_content("/d/large").await.unwrap().len(), 64 << 20);
    least(since, turns.load(Ordering::SeqCst));
    let since = turns.load(Ordering::SeqCst);
    for _ in 0..5000 {
        storage.stat("/d/small").await.unwrap();
    }
    least(since, turns.load(Ordering::SeqCst));
    other.abort();
}
