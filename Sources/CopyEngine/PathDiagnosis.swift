import Glibc
import Uring

/// Direct I/O and pre-allocation where a path lies.
enum PathDiagnosis {
  /// Without a processor pre-allocation is not looked at.
  static func examine(_ path: String, with processor: Processor?) async -> [Diagnosis.Finding] {
    let files = LinuxKernel().files
    let subject = "direct I/O at \(path)"
    var file = files.open(path, flags: O_RDONLY | O_NONBLOCK | O_CLOEXEC, mode: 0)
    guard file >= 0, var status = try? files.status(file) else {
      return [
        Diagnosis.Finding(
          .fail, subject, "cannot be opened: \(SystemText.of(-file))",
          fix: "name a file, device or directory that this user may read")
      ]
    }
    var findings: [Diagnosis.Finding] = []
    if status.kind == .directory {
      files.close(file)
      file = nameless(path, files)
      guard file >= 0, let found = try? files.status(file) else {
        return [
          Diagnosis.Finding(
            .warn, subject, "no file can be made here: \(SystemText.of(-file))",
            fix: "name a directory that this user may write")
        ]
      }
      status = found
      if let processor { findings.append(await preallocation(path, file, processor)) }
    }
    files.close(file)
    findings.insert(direct(subject, status), at: 0)
    return findings
  }

  private static func direct(_ subject: String, _ status: FileStatus) -> Diagnosis.Finding {
    guard status.directOffsetAlignment > 0 else {
      return Diagnosis.Finding(
        .warn, subject, "not possible: transfers go through the page cache",
        fix: "keep disks and cartridges on a file system with direct I/O, such as ext4 or XFS")
    }
    return Diagnosis.Finding(
      .pass, subject,
      "offsets in multiples of \(status.directOffsetAlignment), memory of "
        + "\(status.directMemoryAlignment) bytes")
  }

  private static func preallocation(
    _ path: String, _ descriptor: Int32, _ processor: Processor
  ) async -> Diagnosis.Finding {
    let result = await processor.run { ring in
      let file = ring.know(descriptor)
      defer { ring.forget(file) }
      return await ring.perform {
        ring.allocate(file, from: 0, byteCount: 1 << 20, for: $0, tag: 0)
      }
    }
    guard result < 0 else {
      return Diagnosis.Finding(.pass, "fallocate at \(path)", "works")
    }
    return Diagnosis.Finding(
      .warn, "fallocate at \(path)", SystemText.of(-result),
      fix: "writes that make a file longer go through kernel workers here; "
        + "ext4 and XFS can allocate ahead")
  }

  /// A file in `directory` that nobody else sees, and that is gone when it is closed.
  private static func nameless(_ directory: String, _ files: FileSystem) -> Int32 {
    let path = "\(directory)/.ecopy-doctor-\(getpid())"
    let file = files.open(path, flags: O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600)
    if file >= 0 { _ = files.remove(path) }
    return file
  }
}

/// The operating system's words.
enum SystemText {
  static func of(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }
}
