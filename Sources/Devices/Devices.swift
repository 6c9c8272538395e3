enum DevicesModule {}
