@testable import Region

/// What the processors of the model stand at, beside the bytes of the region.
struct Model: Hashable {
  /// A target job's place: 910–942.
  enum Target: UInt8 { case none, start, reserved, waiting, taken, done }
  /// A kernel's and its copy job's place: 1010–1044.
  enum Kernel: UInt8 {
    case look, found, claimed, searching, missed, holding, transferring, moved, stopping
  }

  struct Processor: Hashable {
    var target = Target.none
    var kernel = Kernel.look
    var isAlive = true
    /// It has seen that it was given up, and leaves.
    var leaves = false
    var isTargetWoken = false
    var isKernelWoken = true
    var hasDeclined = false
    /// The job its kernel works on.
    var work = 0

    /// It uses the drive, or may.
    var drives: Bool { isAlive && (kernel == .transferring || kernel == .moved) }
  }

  struct Job: Hashable {
    var number: UInt64 = 0
    var starts = 0
    var isDone = false
    var goods = 0
  }

  var bytes: [UInt8]
  var processors: [Processor]
  var jobs: [Job]
  var lockIsDamaged = false
  var crashes: Int
  var silences: Int
  var aborts: Int
  var declines: Int
}

/// One thing that a processor of the model, or fate, does next.
enum Move: Hashable {
  case reserve, post, take, close, abort
  case look, claim, decline, ready, start, miss, hit, mark, begin, progress, finish, stop
  case reap, leave, fence(Int)
}
