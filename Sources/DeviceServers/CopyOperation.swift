import CopyManager
import Devices
import ExtendedCopy
import SAM
import SCSI

/// What names a copy for RECEIVE COPY RESULTS: list identifiers are chosen by each nexus for each
/// logical unit. SPC-4 5.16.4.3.
struct CopyKey: Hashable {
  let nexus: Nexus
  let unit: any CopyUnit
  let listIdentifier: UInt32

  static func == (one: CopyKey, other: CopyKey) -> Bool {
    one.nexus === other.nexus && one.unit === other.unit
      && one.listIdentifier == other.listIdentifier
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(nexus))
    hasher.combine(ObjectIdentifier(unit))
    hasher.combine(listIdentifier)
  }
}

/// A copy that was accepted and has not ended.
final class CopyOperation {
  let key: CopyKey
  let serviceAction: ServiceAction
  let list: ParameterList
  /// Bytes it came in.
  let listBytes: Int
  /// For each target descriptor what it names; more may be found when the copy has its turn.
  var devices: [CopyDevice?]
  let manager: CopyManager
  let usesDescriptorSense: Bool
  /// The command that waits for its end; nil of a copy in the background.
  let command: Command?
  /// Whether it counts as one that moves data.
  var hasTurn = false
  private(set) var isCancelled = false
  /// Nobody may ask for its result any more.
  var isForgotten = false
  /// The copy waits for its turn.
  private var turn: CheckedContinuation<Void, Never>?
  /// Others wait for its end.
  private var waiters: [CheckedContinuation<Void, Never>] = []

  init(
    _ key: CopyKey, _ serviceAction: ServiceAction, _ list: ParameterList,
    listBytes: Int, devices: [CopyDevice?], manager: CopyManager, command: Command?,
    usesDescriptorSense: Bool
  ) {
    self.key = key
    self.serviceAction = serviceAction
    self.list = list
    self.listBytes = listBytes
    self.devices = devices
    self.manager = manager
    self.command = command
    self.usesDescriptorSense = usesDescriptorSense
  }

  /// Whether RECEIVE COPY RESULTS may ask for it.
  var isIdentified: Bool { list.listIDUsage != .disabled }

  var isWaiting: Bool { turn != nil }

  /// Waits until `begin`, or until it is cancelled.
  func waitForTurn() async {
    precondition(turn == nil, "a copy waits once")
    if isCancelled { return }
    await withCheckedContinuation { turn = $0 }
  }

  /// Lets a copy that waits go on.
  func begin() {
    hasTurn = true
    turn.take()?.resume()
  }

  /// Ends it soon; a copy that waits for its turn goes on without one.
  func cancel() {
    if isCancelled { return }
    isCancelled = true
    manager.cancel()
    turn.take()?.resume()
  }

  /// Waits for its end, which is to come.
  func waitForEnd() async {
    await withCheckedContinuation { waiters.append($0) }
  }

  /// Tells those who wait for its end.
  func end() {
    let told = waiters
    waiters = []
    for waiter in told { waiter.resume() }
  }
}
