enum SCSIModule {}
