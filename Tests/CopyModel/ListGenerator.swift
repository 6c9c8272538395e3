/// A parameter list and the devices it runs on.
public struct Scenario: Equatable, Sendable {
  /// The number that makes this scenario again: `ListGenerator.scenario(seed:)`.
  public var seed: UInt64
  /// The whole parameter list.
  public var list: [UInt8]
  /// Whether the list is of EXTENDED COPY(LID4).
  public var lid4: Bool
  /// `devices[i]` is what target descriptor `i` names.
  public var devices: [ModelDevice]
  /// The bytes of held data that are kept.
  public var heldDataLimit: Int

  /// What the model says of it.
  public func result() -> ModelResult {
    execute(list: list, devices: devices, heldDataLimit: heldDataLimit, lid4: lid4)
  }
}

/// Makes random scenarios: chains of all segment kinds over two disks and two tapes, about 70 of
/// 100 of which succeed and the rest fail in varied ways.
///
/// A chain grows by segments that are drawn at random and kept when the model still succeeds with
/// them; a scenario that is to fail ends with one that makes the wanted trouble.
public struct ListGenerator: Sendable {
  private var random: SplitMix64

  /// The same seed makes the same scenarios.
  public init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// The next scenario.
  public mutating func next() -> Scenario { Self.scenario(seed: random.next()) }

  /// The scenario that carries this seed.
  public static func scenario(seed: UInt64) -> Scenario {
    var builder = ScenarioBuilder(seed: seed)
    return builder.build()
  }
}
