import SAM

/// What task management of one logical unit means to copies.
extension CopyCommands {
  /// Cancels the copies that some nexuses have sent to a unit, those in the background too.
  func cancel(commandsTo unit: any CopyUnit, of isMeant: (Nexus) -> Bool) -> [CopyOperation] {
    let cancelled = operations.filter { $0.key.unit === unit && isMeant($0.key.nexus) }
    for operation in cancelled { operation.cancel() }
    return cancelled
  }

  /// Returns after the last completion of each.
  func waitForEnd(of cancelled: [CopyOperation]) async {
    for operation in cancelled where operations.contains(where: { $0 === operation }) {
      await operation.waitForEnd()
    }
  }
}
