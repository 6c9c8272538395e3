enum CopyEngineModule {}
