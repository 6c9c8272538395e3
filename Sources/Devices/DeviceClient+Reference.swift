/// A client as a device keeps it: not kept alive, and not counted for each operation.
@safe
struct ClientReference {
  private let client: Unmanaged<DeviceClient>

  init(_ client: DeviceClient) {
    unsafe self.client = Unmanaged.passUnretained(client)
  }

  /// Gives an operation back. Clients live until their last operation has completed.
  func complete(_ completion: consuming DeviceCompletion) {
    var parked: DeviceCompletion? = consume completion
    unsafe client._withUnsafeGuaranteedRef { client in
      if let completion = parked.take() { client.complete(completion) }
    }
  }
}
