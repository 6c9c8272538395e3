import Glibc

/// Memory that the kernel can give without swapping.
public enum AvailableMemory {
  /// Why `byteCount` bytes of pinned memory are too much for this machine now; nil where they are
  /// not. Pinned memory cannot be taken back: a machine that is asked for all of it dies.
  public static func refusal(of byteCount: Int) -> String? {
    guard let available = bytes(), byteCount > available / 4 * 3 else { return nil }
    return "an arena of \(mebibytes(byteCount)) is more than three quarters of the "
      + "\(mebibytes(available)) of memory that is available"
  }

  private static func mebibytes(_ byteCount: Int) -> String { "\(byteCount >> 20) MiB" }

  /// MemAvailable; nil where the kernel does not say.
  private static func bytes() -> Int? {
    let file = unsafe open("/proc/meminfo", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 8192)
    let count = unsafe read(file, &text, text.count)
    let lines = String(decoding: text.prefix(max(0, count)), as: UTF8.self)
    for line in lines.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      guard let number = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
      else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: 1024)
      return overflow ? nil : product
    }
    return nil
  }
}
