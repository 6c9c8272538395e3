import DiskSystem

/// Exit codes: those of sg3_utils, as `ecopy` has them.
enum ExitStatus {
  static let syntax: Int32 = 1
  static let file: Int32 = 15

  static func of(_ error: DiskSystemError) -> Int32 {
    switch error {
    case .unavailable, .memory: 99
    case .portal: 98
    case .state, .unit: file
    case .stateInUse: 26
    }
  }

  /// For the help and the manual.
  static let table = """
    EXIT CODES
      0    ended as asked; all sessions are closed, what was written is durable
      1    the command line or the configuration is not understood
      15   a file, a device or the state directory cannot be used
      26   busy: another ecopyd serves from the state directory
      98   a portal cannot be listened on, or a unit could not be flushed
      99   io_uring or its memory is not available: see ecopy doctor
      130  ended at once by a second SIGINT (143: SIGTERM); nothing was flushed
    """
}
