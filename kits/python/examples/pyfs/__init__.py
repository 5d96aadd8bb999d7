"""A directory of the machine as a registry's storage: the example of the Python kit.

It keeps the whole contract, on Linux and a local file system. How:

- `<root>/a/b` is the content of `/a/b`. No path can have a `~`, so what is below `<root>/~staging` is nobody's content.
- Content is written to `~staging/temporary/<name>`, synced, and renamed to its path.
- A closed upload is `~staging/uploads/a/b/~<upload>.<time>.<bytes>[.<version>]`: closed at that time with so many bytes, and
  if it continues content, of that version. Closing and ending give the file another name or remove it. So of two that resumed
  it one wins: for the other the name is gone.
- Every step that shows is done under one lock, flock(2) on `~staging/lock`, which holds among processes too.

Symbolic links below the root are followed: the tree has to be the driver's own.
"""
