from exchanges.fake.server import main

main()
