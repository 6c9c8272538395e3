print("ecopy")
