import Glibc

/// The terminal that standard error is.
enum Terminal {
  /// Its width: what the kernel knows of it, else COLUMNS, else 80.
  static var columns: Int {
    var size = winsize()
    if unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    let value = unsafe getenv("COLUMNS").flatMap { unsafe Int(String(cString: $0)) } ?? 0
    return value > 0 ? value : 80
  }
}
