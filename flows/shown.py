def features(result, to):
    to.write(str(result))
