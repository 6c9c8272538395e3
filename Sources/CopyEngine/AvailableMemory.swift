/// Memory that the kernel can give without swapping.
enum AvailableMemory {
  /// Why `byteCount` bytes of pinned memory are too much for this machine now; nil where they are
  /// not. Pinned memory cannot be taken back: a machine that is asked for all of it dies.
  static func refusal(of byteCount: Int) -> String? {
    guard let available = bytes(), byteCount > available / 4 * 3 else { return nil }
    return "an arena of \(mebibytes(byteCount)) is more than three quarters of the "
      + "\(mebibytes(available)) of memory that is available"
  }

  private static func mebibytes(_ byteCount: Int) -> String { "\(byteCount >> 20) MiB" }

  /// MemAvailable; nil where the kernel does not say.
  private static func bytes() -> Int? {
    for line in TextFile.read("/proc/meminfo").split(separator: "\n")
    where line.hasPrefix("MemAvailable:") {
      guard let number = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
      else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: 1024)
      return overflow ? nil : product
    }
    return nil
  }
}
