import Glibc
import Uring

/// Allocates blocks ahead of a file's writing position.
///
/// A direct write that lengthens a file is handed to a kernel worker and waits for its turn there;
/// one into blocks that are allocated already is not. Where the file system cannot allocate ahead,
/// or has no room left for it, writing goes on without.
final class Preallocation: CompletionHandler {
  private let file: OpenFile
  /// Where the allocated blocks end.
  private(set) var end: UInt64
  private var isRunning = false
  private var isPossible: Bool
  private var next: UInt64 = 0
  private var settling = Settling()

  static let smallestStep: UInt64 = 64 << 20
  static let largestStep: UInt64 = 1 << 30

  /// `end`: where the file ends now.
  init(_ file: OpenFile, end: UInt64) {
    self.file = file
    self.end = end
    isPossible = file.isDirectAvailable && file.status.kind == .regular
  }

  /// Called with the end of each write: allocates the next step when half of the last one is used.
  func reach(_ position: UInt64) {
    guard isPossible, !isRunning else { return }
    let step = min(Self.largestStep, max(Self.smallestStep, end))
    guard position > end || end - position < step / 2 else { return }
    let from = max(end, position)
    let (target, overflow) = from.addingReportingOverflow(step)
    guard !overflow, target <= UInt64(Int64.max) else { return }
    isRunning = true
    next = target
    file.allocate(from: end, byteCount: target - end, for: self)
  }

  /// The same, waited for: before the first write.
  func prepare(from position: UInt64) async {
    reach(position)
    await settle()
  }

  override func complete(_ completion: consuming Completion) {
    isRunning = false
    switch -completion.result {
    case 0: end = next
    case EINTR, EAGAIN: break
    default:
      // Part of it may have been allocated; the file is cut at its end in any case.
      isPossible = false
      end = next
    }
    settling.end()
  }

  /// Waits until nothing is being allocated.
  func settle() async {
    guard isRunning else { return }
    unsafe await withUnsafeContinuation { unsafe settling.wait($0) }
  }

  /// Gives back what lies behind `length`: 0 or -errno. Nothing is written meanwhile.
  func cut(to length: UInt64) async -> Int32 {
    await settle()
    guard end > length else { return 0 }
    let result = await file.truncate(to: length)
    if result == 0 { end = length }
    return result
  }
}
